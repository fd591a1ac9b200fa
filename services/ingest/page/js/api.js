// What the page asks of the server. The session's cookie goes by itself; the header says that it is the page that asks.

import { knows, moment, t } from './texts.js';

export const PAGE_HEADER = 'X-Razgovor-Page';

/** A request that was refused, or that nobody answered (`code` network). */
export class Refused extends Error {
  constructor(code, status = 0, facts = {}) {
    super(code);
    this.code = code;
    this.status = status;
    this.facts = facts;
  }

  /** Whether it may go well by itself a little later. */
  get passes() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** What to tell people. */
  get text() {
    const name = `problem.${this.code}`;
    const facts = { code: this.code, ...this.facts };
    if (facts.ends_at) facts.ends_at = moment(facts.ends_at);
    return t(knows(name) ? name : 'problem.other', facts);
  }
}

/** A refusal out of a problem+json, or whatever else a proxy may have answered. */
export function refusal(status, body) {
  try {
    const problem = JSON.parse(body);
    return new Refused(String(problem.code ?? `http_${status}`), status, problem);
  } catch {
    return new Refused(`http_${status}`, status);
  }
}

/** Asks; gives the answer's JSON, or null of an empty one. Throws Refused. */
export async function ask(path, { method = 'GET', json, signal } = {}) {
  const headers = { [PAGE_HEADER]: '1' };
  if (json !== undefined) headers['Content-Type'] = 'application/json';
  let answer;
  try {
    answer = await fetch(path, { method, headers, signal, body: json === undefined ? undefined : JSON.stringify(json) });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refused('network');
  }
  const body = await answer.text();
  if (answer.ok) return body === '' ? null : JSON.parse(body);
  if (answer.status === 401) dispatchEvent(new Event('signed-out'));
  throw refusal(answer.status, body);
}

/** A query string of what is given. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null && value !== '');
  return new URLSearchParams(given).toString();
}
