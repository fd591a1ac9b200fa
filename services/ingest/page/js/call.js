// A call: what is known of it, the player, the dialogue, downloads. Waits for what is not ready.

import { ask, Refused } from './api.js';
import { Dialogue, isUnsure } from './dialogue.js';
import { fill, h } from './dom.js';
import { chainLink, lengthOf, nameOf, peopleOf, whenOf } from './job_words.js';
import { follow } from './live.js';
import { Player, STEP_S } from './player.js';
import { hasEnded, stateBadge } from './states.js';
import { knows, percent, reasonText, t } from './texts.js';

const FORMATS = ['txt', 'vtt', 'srt', 'xlsx', 'json'];

/** The view: {element, leave}. */
export function callView(jobId, session) {
  const view = new CallView(jobId, session);
  view.load();
  return { element: view.element, leave: () => view.leave() };
}

class CallView {
  #player = null;
  #dialogue = null;
  #stop = () => {};
  #left = false;

  constructor(jobId, session) {
    this.jobId = jobId;
    this.session = session;
    this.body = h('div', {}, h('p', { class: 'empty', role: 'status' }, t('page.loading')));
    this.element = h('article', { class: 'call' }, h('p', {}, h('a', { class: 'back', href: '#/' }, `← ${t('call.back')}`)), this.body);
    this.keys = (event) => this.#key(event);
    addEventListener('keydown', this.keys);
  }

  async load() {
    try {
      const job = await ask(`v1/jobs/${this.jobId}`);
      const transcript = job.state === 'completed' ? await ask(job.links.transcript_json.slice(1)) : null;
      if (!this.#left) this.#show(job, transcript);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      fill(this.body, h('p', { class: 'empty', role: 'alert' }, error.status === 404 ? t('call.missing') : error.text));
    }
  }

  leave() {
    this.#left = true;
    removeEventListener('keydown', this.keys);
    this.#stop();
    this.#player?.leave();
  }

  #show(job, transcript) {
    this.#stop();
    this.#player?.leave();
    this.#player = null;
    this.#dialogue = null;
    document.title = `${nameOf(job)} · razgovor`;
    const parts = [header(job), actions(job, this.session, () => this.load())];
    if (transcript !== null) parts.push(...this.#ready(job, transcript));
    else if (job.links.audio !== undefined) parts.push(downloads(job));
    if (!hasEnded(job.state)) parts.push(this.#awaited(job));
    fill(this.body, parts);
  }

  #ready(job, transcript) {
    const names = speakerNames(transcript.channel_mode);
    this.#dialogue = new Dialogue(transcript, names, (seconds) => this.#player.seek(seconds));
    this.#player = new Player(job, names, (seconds, playing) => this.#dialogue.show(seconds, { scroll: playing }));
    const silent = transcript.turns.length === 0 ? h('p', { class: 'empty' }, t('call.silent')) : null;
    const unsure = transcript.turns.some((turn) => turn.words.some(isUnsure));
    return [warnings(transcript), downloads(job), this.#player.element, unsure && h('p', { class: 'legend' }, h('mark', { class: 'unsure' }, 'abc'), ' ', t('call.legend')), silent, this.#dialogue.element];
  }

  /** Shows a change by asking for the whole job again. */
  #awaited(job) {
    const shown = `${job.run}-${job.state}`;
    this.#stop = follow(`${job.links.events.slice(1)}`, {
      state: (told) => {
        if (`${told.run}-${told.state}` !== shown) this.load();
      },
    });
    return h('p', { class: 'empty', role: 'status' }, t('call.waits'));
  }

  /** Keys for the whole view, unless something that was focused takes them. */
  #key(event) {
    if (this.#player === null || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest('input, select, textarea') !== null) return;
    if (event.key === ' ' && event.target.closest('button, a') !== null) return;
    const { now } = this.#player;
    const steps = {
      ' ': () => this.#player.toggle(),
      ArrowLeft: () => this.#player.seek(now - STEP_S),
      ArrowRight: () => this.#player.seek(now + STEP_S),
      ArrowUp: () => this.#step(-1),
      ArrowDown: () => this.#step(1),
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    step();
  }

  #step(step) {
    this.#player.seek(this.#dialogue.neighbour(this.#player.now, step));
    this.#dialogue.show(this.#player.now, { scroll: true });
  }
}

function header(job) {
  const { operator, customer_number: number, queue } = job.call;
  const facts = [
    whenOf(job),
    lengthOf(job),
    peopleOf({ call: { ...job.call, operator: null, customer_number: null } }),
    operator,
    number && `${t('call.number')} ${number}`,
    queue && `${t('call.queue')} ${queue}`,
    job.result?.words && t('call.words', { count: job.result.words }),
    job.result?.confidence && t('call.confidence', { percent: percent(job.result.confidence) }),
    chainLink(job),
  ].filter(Boolean);
  const reason = job.reason === null ? null : h('p', { class: 'reason', role: 'alert' }, reasonText(job.reason));
  return h('header', { class: 'call-head' }, h('h1', {}, nameOf(job)), stateBadge(job.state), h('ul', { class: 'facts' }, facts.map((fact) => h('li', {}, fact))), reason);
}

/** What may be done with a job now: cancel one on its way, have one done again that failed. */
function actions(job, session, done) {
  if (!session.scopes.includes('submit')) return null;
  const order = { failed: 'requeue', canceled: 'requeue', queued: 'cancel', transcribing: 'cancel' }[job.state];
  if (order === undefined) return null;
  const said = h('span', { role: 'alert' });
  const name = t(order === 'cancel' ? 'call.cancel' : 'call.again');
  const button = h('button', { type: 'button', on: { click } }, name);
  async function click() {
    button.disabled = true;
    try {
      await ask(`${job.links.self.slice(1)}/${order}`, { method: 'POST' });
      done();
    } catch (error) {
      fill(said, error.text);
      button.disabled = false;
    }
  }
  return h('p', { class: 'actions' }, button, ' ', said);
}

function downloads(job) {
  const link = (address, name) => h('a', { class: 'button', href: address.slice(1), download: true }, t(`call.download_${name}`));
  const made = FORMATS.filter((format) => job.links[`transcript_${format}`] !== undefined);
  return h('nav', { class: 'downloads', 'aria-label': t('call.downloads') }, made.map((format) => link(job.links[`transcript_${format}`], format)), link(job.links.audio, 'audio'));
}

function warnings(transcript) {
  const codes = [...new Set([...transcript.warnings.map((warning) => warning.code), ...(transcript.partial ? ['partial'] : [])])];
  const known = codes.map((code) => `warning.${code}`).filter(knows);
  return known.length === 0 ? null : h('ul', { class: 'warnings' }, known.map((name) => h('li', {}, t(name))));
}

/** Who speaks: by role; where that is not known by channel; on mono nobody can tell. */
function speakerNames(mode) {
  return ({ channel, role }) => {
    if (role === 'operator' || role === 'customer') return t(`call.${role}`);
    return mode === 'stereo' ? t('call.channel', { number: channel + 1 }) : t('call.speaker');
  };
}
