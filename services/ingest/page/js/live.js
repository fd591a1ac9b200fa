// Server-sent events that come again by themselves, also after an answer that the browser takes for the end.

const AGAIN_MS = 5000;

/**
 * Follows a stream.
 * @param {string} address of the stream
 * @param {object} on functions by name of event, called with its data; `connected` with true or false
 * @returns {function} stops following
 */
export function follow(address, on) {
  let source = null;
  let timer = null;

  function open() {
    source = new EventSource(address);
    source.addEventListener('open', () => on.connected?.(true));
    source.addEventListener('error', () => {
      on.connected?.(false);
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, AGAIN_MS);
    });
    for (const [name, told] of Object.entries(on)) {
      if (name !== 'connected') source.addEventListener(name, (event) => told(JSON.parse(event.data)));
    }
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
