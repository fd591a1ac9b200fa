// A call: what is known of it, the player, the dialogue, downloads. Waits for what is not ready.

import { ask, Refused } from './api.js';
import { Dialogue, isUnsure } from './dialogue.js';
import { fill, h } from './dom.js';
import { chainLink, lengthOf, nameOf, peopleOf, whenOf } from './job_words.js';
import { notKept } from './kept.js';
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
      const transcript = await transcriptOf(job);
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
    const parts = [header(job), actions(job, this.session, () => this.load()), notKept(job, transcript), transcript && warnings(transcript), downloads(job)];
    if (job.state === 'completed') parts.push(this.#playerOf(job));
    if (transcript !== null) parts.push(...this.#read(transcript));
    if (!hasEnded(job.state)) parts.push(this.#awaited(job));
    fill(this.body, parts);
  }

  /** Null where the recording is kept no longer: what was said can still be read. */
  #playerOf(job) {
    if (job.links.audio === undefined) return null;
    this.#player = new Player(job, speakerNames(job.result?.channel_mode), (seconds, playing) => this.#dialogue?.show(seconds, { scroll: playing }));
    return this.#player.element;
  }

  #read(transcript) {
    const seek = this.#player === null ? null : (seconds) => this.#player.seek(seconds);
    this.#dialogue = new Dialogue(transcript, speakerNames(transcript.channel_mode), seek);
    const silent = transcript.turns.length === 0 ? h('p', { class: 'empty' }, t('call.silent')) : null;
    const unsure = transcript.turns.some((turn) => turn.words.some(isUnsure));
    return [unsure && h('p', { class: 'legend' }, h('mark', { class: 'unsure' }, 'abc'), ' ', t('call.legend')), silent, this.#dialogue.element];
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
    if (this.#dialogue === null) return;
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

/** What was said; null where that is not ready, or kept no longer. */
async function transcriptOf(job) {
  const link = job.links.transcript_json;
  if (job.state !== 'completed' || link === undefined) return null;
  try {
    return await ask(link.slice(1));
  } catch (error) {
    if (error.code === 'gone') return null;
    throw error;
  }
}

/** What may be done with a job now: cancel one on its way, have one done again that failed and can still be heard. */
function actions(job, session, done) {
  if (!session.scopes.includes('submit')) return null;
  const order = { failed: 'requeue', canceled: 'requeue', queued: 'cancel', transcribing: 'cancel' }[job.state];
  if (order === undefined || (order === 'requeue' && job.audio.expired_at !== null)) return null;
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

/** A link for each file that is there; null where there is none. */
function downloads(job) {
  const files = [...FORMATS.map((format) => [format, job.links[`transcript_${format}`]]), ['audio', job.links.audio]];
  const links = files.filter(([, address]) => address !== undefined).map(([name, address]) => h('a', { class: 'button', href: address.slice(1), download: true }, t(`call.download_${name}`)));
  return links.length === 0 ? null : h('nav', { class: 'downloads', 'aria-label': t('call.downloads') }, links);
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
