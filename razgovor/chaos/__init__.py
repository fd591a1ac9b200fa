"""Breaking things on purpose: fault proxies and what drives them. No part of a deployment."""
