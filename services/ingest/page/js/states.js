// A job's states.

import { h } from './dom.js';
import { t } from './texts.js';

const ENDED = new Set(['completed', 'failed', 'canceled', 'erased']);
export const STATES = ['queued', 'transcribing', 'transcribed', 'completed', 'failed', 'canceling', 'canceled', 'erased'];

/** Whether nothing more becomes of it by itself. */
export const hasEnded = (state) => ENDED.has(state);

/** A state for people: a dot and a word. */
export function stateBadge(state) {
  return h('span', { class: 'state', data: { state } }, t(`state.${state}`));
}
