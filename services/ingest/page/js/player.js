// The player: play and pause, where it is, how fast, the waveform. Tells what is heard as it plays.

import { ask } from './api.js';
import { clock } from './clock.js';
import { fill, h, icon } from './dom.js';
import { t } from './texts.js';
import { topToBottom } from './timeline.js';
import { drawWaveform } from './waveform.js';

const PLAY = 'M8 5v14l11-7z';
const PAUSE = 'M7 5h4v14H7zM13 5h4v14h-4z';
const SPEEDS = [0.75, 1, 1.25, 1.5, 2];
export const STEP_S = 5;

/** A job's player. `heard(seconds, playing)` is called whenever what is heard changes. */
export class Player {
  #remove = () => {};
  #frame = 0;

  constructor(job, names, heard) {
    this.job = job;
    this.heard = heard;
    this.durationS = (job.result?.duration_ms ?? 0) / 1000;
    this.audio = h('audio', { preload: 'metadata', src: job.links.audio.slice(1) });
    this.button = h('button', { type: 'button', class: 'play strong', on: { click: () => this.toggle() } });
    this.time = h('span', { class: 'clock' });
    this.wave = h('div', { class: 'wave' });
    this.slider = h('div', { class: 'slider', role: 'slider', tabindex: 0, 'aria-label': t('call.waveform'), 'aria-valuemin': 0, on: { keydown: (event) => this.#slide(event) } }, this.wave);
    this.said = h('p', { class: 'notice', role: 'status' });
    this.labels = h('div', { class: 'wave-labels', 'aria-hidden': 'true' });
    const speed = h('select', { on: { change: (event) => (this.audio.playbackRate = Number(event.target.value)) } }, SPEEDS.map((one) => h('option', { value: one, selected: one === 1 }, `${one}×`)));
    this.element = h(
      'section',
      { class: 'player', 'aria-label': t('call.player') },
      h('div', { class: 'player-wave' }, this.labels, this.slider),
      h('div', { class: 'player-row' }, this.button, this.time, h('label', { class: 'speed' }, h('span', { class: 'hidden' }, t('call.speed')), speed), h('span', { class: 'keys' }, t('call.keys'))),
      this.said,
      this.audio,
    );
    this.#listen();
    this.#show();
    this.#draw(names);
  }

  toggle() {
    if (this.audio.paused) this.audio.play().catch(() => {});
    else this.audio.pause();
  }

  /** Goes to a moment; plays on, or stays paused. */
  seek(seconds) {
    this.audio.currentTime = Math.min(this.#length(), Math.max(0, seconds));
    this.#show();
  }

  get now() {
    return this.audio.currentTime;
  }

  leave() {
    cancelAnimationFrame(this.#frame);
    this.#remove();
    this.audio.pause();
    this.audio.removeAttribute('src');
    this.audio.load();
  }

  #length() {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : this.durationS;
  }

  #listen() {
    for (const name of ['play', 'pause', 'seeked', 'timeupdate', 'loadedmetadata', 'ended']) this.audio.addEventListener(name, () => this.#show());
    this.audio.addEventListener('play', () => this.#follow());
    this.audio.addEventListener('error', () => {
      if (!this.audio.hasAttribute('src')) return;
      this.button.disabled = true;
      fill(this.said, t('call.not_playable'));
    });
  }

  /** While it plays, with every picture: events of the element come four times a second. */
  #follow() {
    cancelAnimationFrame(this.#frame);
    const step = () => {
      if (this.audio.paused) return;
      this.heard(this.now, true);
      this.#frame = requestAnimationFrame(step);
    };
    step();
  }

  #show() {
    const { paused } = this.audio;
    const name = t(paused ? 'call.play' : 'call.pause');
    if (this.button.title !== name) {
      fill(this.button, icon(paused ? PLAY : PAUSE));
      this.button.title = name;
      this.button.setAttribute('aria-label', name);
    }
    const values = { now: clock(this.now), all: clock(this.#length()) };
    fill(this.time, `${values.now} / ${values.all}`);
    this.slider.setAttribute('aria-valuemax', Math.round(this.#length()));
    this.slider.setAttribute('aria-valuenow', Math.round(this.now));
    this.slider.setAttribute('aria-valuetext', t('call.position', values));
    this.heard(this.now, !paused);
  }

  #slide(event) {
    const to = { Home: 0, End: this.#length(), PageUp: this.now + 30, PageDown: this.now - 30 }[event.key];
    if (to === undefined) return; // the arrows are the whole view's
    event.preventDefault();
    this.seek(to);
  }

  async #draw(names) {
    try {
      const outline = await ask(`${this.job.links.self.slice(1)}/waveform`);
      const roles = this.job.channel_roles;
      const channels = topToBottom(outline.channels.map((peaks, index) => ({ peaks, index, role: roles[index] ?? null })));
      const sides = channels.map((channel) => channel.role ?? `channel-${channel.index}`);
      fill(this.labels, channels.length > 1 ? channels.map((channel, place) => h('span', { data: { side: sides[place] } }, names({ channel: channel.index, role: channel.role }))) : '');
      this.#remove = drawWaveform(this.wave, this.audio, channels.map((channel) => channel.peaks), sides, outline.duration_s);
    } catch (error) {
      if (error.code === undefined) throw error;
      fill(this.said, t('call.no_waveform'));
    }
  }
}
