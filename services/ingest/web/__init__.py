"""The HTTP layer: the only door to fastapi, starlette and python-multipart. `app.create_app` puts it together."""
