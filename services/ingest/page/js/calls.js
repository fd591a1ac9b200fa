// The list of calls: uploads above, filters, rows that follow what happens.

import { ask, query, Refused } from './api.js';
import { fill, h } from './dom.js';
import { asked, filterBar } from './filters.js';
import { chainLink, lengthOf, nameOf, peopleOf, whenOf } from './job_words.js';
import { follow } from './live.js';
import { callAddress, listAddress } from './routes.js';
import { hasEnded, stateBadge } from './states.js';
import { reasonText, t } from './texts.js';
import { uploadArea } from './upload_area.js';

const PAGE = 50;
/** The server follows so many, and looks at the newest so many again. */
const MOST = 100;

/** The view: {element, leave}. */
export function callsView(filters, session, uploads) {
  const upload = session.scopes.includes('submit') ? uploadArea(uploads) : null;
  const title = h('h1', { class: 'hidden' }, t('calls.title'));
  if (!session.scopes.includes('read')) {
    const none = h('p', { class: 'empty' }, t('calls.none_read'));
    return { element: h('div', {}, title, upload?.element, none), leave: () => upload?.leave() };
  }
  const list = new CallList(filters);
  const bar = filterBar(filters, (changed) => {
    history.replaceState(null, '', listAddress(changed)); // not a step back in the history for every letter
    list.ask(changed);
  });
  list.ask(filters);
  return {
    element: h('div', {}, title, upload?.element, bar, list.element),
    leave() {
      upload?.leave();
      list.leave();
    },
  };
}

class CallList {
  #filters = {};
  #jobs = [];
  #cursor = null;
  #newest = null;
  #stop = () => {};
  #asking = new AbortController();

  constructor() {
    this.body = h('tbody', {});
    this.said = h('p', { class: 'empty', role: 'status' }, t('page.loading'));
    this.pulse = h('p', { class: 'live' });
    this.more = h('button', { type: 'button', hidden: true, on: { click: () => this.#more() } }, t('calls.more'));
    const heads = ['calls.state', 'calls.call', 'calls.when', 'calls.duration'].map((name) => h('th', { scope: 'col' }, t(name)));
    this.table = h('table', { class: 'calls', hidden: true }, h('caption', { class: 'hidden' }, t('calls.title')), h('thead', {}, h('tr', {}, heads)), this.body);
    this.element = h('section', { class: 'list', 'aria-label': t('calls.title') }, this.pulse, this.table, this.said, this.more);
  }

  /** Shows the first page of what is asked for. */
  async ask(filters) {
    this.#filters = filters;
    await this.#load(PAGE);
  }

  leave() {
    this.#asking.abort();
    this.#stop();
  }

  async #load(limit) {
    this.#asking.abort();
    this.#asking = new AbortController();
    const found = await this.#page({ limit }, this.#asking.signal);
    if (found === null) return;
    this.#jobs = found.jobs;
    this.#cursor = found.next_cursor;
    this.#show();
    this.#follow();
  }

  async #more() {
    const found = await this.#page({ limit: PAGE, cursor: this.#cursor }, this.#asking.signal);
    if (found === null) return;
    const first = this.#jobs.length;
    this.#jobs = [...this.#jobs, ...found.jobs];
    this.#cursor = found.next_cursor;
    this.#show();
    this.#follow();
    this.body.rows[first]?.querySelector('a')?.focus();
  }

  /** A page; null if it was refused (which is told) or nobody wants it any more. */
  async #page(part, signal) {
    try {
      return await ask(`v1/jobs?${query({ ...asked(this.#filters), ...part })}`, { signal });
    } catch (error) {
      if (error instanceof Refused) {
        this.said.hidden = false;
        fill(this.said, error.text);
      } else if (error.name !== 'AbortError') throw error;
      return null;
    }
  }

  #show() {
    fill(this.body, this.#jobs.map(row));
    const filtered = Object.values(this.#filters).some(Boolean);
    const none = this.#jobs.length === 0;
    this.table.hidden = none;
    this.said.hidden = !none;
    fill(this.said, none ? t(filtered ? 'calls.none_found' : 'calls.none') : '');
    this.more.hidden = this.#cursor === null;
  }

  /** Follows those on the screen that have not ended, and whether newer ones come. */
  #follow() {
    this.#stop();
    const open = this.#jobs.filter((job) => !hasEnded(job.state)).map((job) => job.job_id);
    this.#stop = follow(`v1/events?${query({ jobs: open.slice(0, MOST).join(',') })}`, {
      connected: (connected) => {
        this.pulse.dataset.connected = connected;
        fill(this.pulse, t(connected ? 'calls.live' : 'calls.not_live'));
      },
      state: (told) => this.#changed(told),
      newest: (told) => this.#isNewest(told.job_id),
    });
  }

  #isNewest(jobId) {
    const known = this.#newest ?? this.#jobs[0]?.job_id ?? null;
    this.#newest = jobId;
    if (known !== jobId && !this.#jobs.some((job) => job.job_id === jobId)) this.#load(Math.min(MOST, Math.max(PAGE, this.#jobs.length)));
  }

  async #changed(told) {
    const index = this.#jobs.findIndex((job) => job.job_id === told.job_id);
    if (index < 0 || (this.#jobs[index].state === told.state && this.#jobs[index].run === told.run)) return;
    // An end brings figures with it.
    const job = hasEnded(told.state) ? await ask(`v1/jobs/${told.job_id}`).catch(() => null) : null;
    const at = this.#jobs.findIndex((one) => one.job_id === told.job_id);
    if (at < 0) return;
    this.#jobs[at] = job ?? { ...this.#jobs[at], ...told };
    const old = this.body.rows[at];
    const focused = old?.contains(document.activeElement);
    old?.replaceWith(row(this.#jobs[at]));
    if (focused) this.body.rows[at].querySelector('a').focus();
  }
}

function row(job) {
  const reason = job.reason === null ? null : h('span', { class: 'reason' }, reasonText(job.reason));
  const people = peopleOf(job);
  return h(
    'tr',
    { data: { job: job.job_id } },
    h('td', { class: 'cell-state' }, stateBadge(job.state)),
    h('td', { class: 'cell-call' }, h('a', { class: 'name', href: callAddress(job.job_id) }, nameOf(job)), people && h('span', { class: 'people' }, people), chainLink(job), reason),
    h('td', { class: 'cell-when' }, whenOf(job)),
    h('td', { class: 'cell-length' }, lengthOf(job)),
  );
}
