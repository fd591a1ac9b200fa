// The dialogue: a line for each turn, which follows the player and leads it.

import { clock } from './clock.js';
import { h } from './dom.js';
import { percent, t } from './texts.js';
import { Timeline, wordAt } from './timeline.js';

/** Below it a word was heard unsurely. */
const UNSURE = 0.5;
const READING_MS = 4000;

/** The dialogue of a transcript. `seek` is called with seconds when somebody chooses a turn or a word; null: it is only read. */
export class Dialogue {
  #timeline;
  #rows;
  #heard = [];
  #word = null;
  #readUntil = 0;

  constructor(transcript, names, seek) {
    this.turns = [...transcript.turns].sort((one, other) => one.start_s - other.start_s);
    this.#timeline = new Timeline(this.turns);
    this.#rows = this.turns.map((turn) => this.#row(turn, names, seek));
    this.element = h('ol', { class: seek === null ? 'dialogue' : 'dialogue leads', 'aria-label': t('call.dialogue') }, this.#rows);
    // Whoever scrolls wants to read: the player leaves the page alone for a while.
    const reads = () => (this.#readUntil = Date.now() + READING_MS);
    for (const event of ['wheel', 'touchmove']) this.element.addEventListener(event, reads, { passive: true });
  }

  /** Shows what is heard at this moment. */
  show(seconds, { scroll }) {
    const heard = this.#timeline.at(seconds);
    if (heard.join() !== this.#heard.join()) {
      for (const index of this.#heard) this.#mark(index, false);
      for (const index of heard) this.#mark(index, true);
      this.#heard = heard;
      if (scroll && heard.length > 0 && Date.now() > this.#readUntil) this.#reveal(this.#rows[heard.at(-1)]);
    }
    this.#showWord(heard.at(-1), seconds);
  }

  /** Where the turn before or after this moment's begins. */
  neighbour(seconds, step) {
    const index = Math.min(this.turns.length - 1, Math.max(0, this.#timeline.begun(seconds + 0.05) + step));
    return this.turns[index]?.start_s ?? seconds;
  }

  #mark(index, heard) {
    this.#rows[index].classList.toggle('heard', heard);
    if (heard) this.#rows[index].setAttribute('aria-current', 'true');
    else this.#rows[index].removeAttribute('aria-current');
  }

  #showWord(index, seconds) {
    const at = index === undefined ? -1 : wordAt(this.turns[index].words, seconds);
    const word = at < 0 ? null : this.#rows[index].querySelectorAll('.word')[at];
    if (word === this.#word) return;
    this.#word?.classList.remove('spoken');
    word?.classList.add('spoken');
    this.#word = word;
  }

  #reveal(row) {
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    row.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
  }

  #row(turn, names, seek) {
    const time = clock(turn.start_s);
    const side = turn.role ?? `channel-${turn.channel}`;
    const row = h(
      'li',
      { class: 'turn', data: { side, start: turn.start_s } },
      seek === null ? h('span', { class: 'time' }, time) : h('button', { type: 'button', class: 'time', 'aria-label': t('call.turn', { time }), on: { click: () => seek(turn.start_s) } }, time),
      h('div', { class: 'said' }, h('span', { class: 'speaker' }, names(turn)), h('p', {}, words(turn))),
    );
    if (seek === null) return row;
    row.addEventListener('click', (event) => {
      if (event.target.closest('button') !== null || String(getSelection()) !== '') return;
      const word = event.target.closest('.word');
      seek(word === null ? turn.start_s : Number(word.dataset.start));
    });
    return row;
  }
}

/** Whether a word was heard unsurely. */
export const isUnsure = (word) => word.confidence < UNSURE;

/** A turn's words, those heard unsurely marked; spaces between them. */
function words(turn) {
  if (turn.words.length === 0) return [turn.text];
  return turn.words.flatMap((word) => [wordElement(word), ' ']);
}

function wordElement(word) {
  const data = { start: word.start_s };
  const text = word.text.trim();
  if (!isUnsure(word)) return h('span', { class: 'word', data }, text);
  return h('mark', { class: 'word unsure', data, title: t('call.unsure', { percent: percent(word.confidence) }) }, text);
}
