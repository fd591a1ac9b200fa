// Where the page is: behind the #, so that no server sees it. Pure.

const JOB = /^[0-9a-f-]{36}$/;

/**
 * What an address asks for.
 * `#/sign-in/TOKEN` a one-time link; `#/calls/ID` a call; all else the list, `#/?state=failed` with its filters.
 */
export function route(hash) {
  const [path, query = ''] = hash.replace(/^#/, '').split('?');
  const [, first = '', second = ''] = path.split('/');
  if (first === 'sign-in' && second !== '') return { view: 'sign-in', link: second };
  if (first === 'calls' && JOB.test(second)) return { view: 'call', id: second };
  return { view: 'calls', filters: Object.fromEntries(new URLSearchParams(query)) };
}

export const callAddress = (id) => `#/calls/${id}`;

/** The list's address with these filters, empty ones left out. */
export function listAddress(filters) {
  const given = Object.entries(filters).filter(([, value]) => value);
  return given.length > 0 ? `#/?${new URLSearchParams(given)}` : '#/';
}
