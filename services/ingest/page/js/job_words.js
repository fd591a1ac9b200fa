// What to call a job, and what to say of it in a line.

import { clock } from './clock.js';
import { h } from './dom.js';
import { listAddress } from './routes.js';
import { moment, t } from './texts.js';

/** Its file, else its id in the client's own system. */
export const nameOf = (job) => job.audio.file_name ?? job.call_id;

/** When the call began, else when it came. */
export const whenOf = (job) => moment(job.call.started_at ?? job.accepted_at);

/** How long it is, as far as that is known. */
export function lengthOf(job) {
  const ms = job.result?.duration_ms ?? job.audio.declared_duration_ms;
  return ms === null || ms === undefined ? '' : clock(ms / 1000);
}

/** Who spoke with whom: what was said about the call. */
export function peopleOf(job) {
  const { direction, operator, customer_number: number } = job.call;
  return [direction && t(`calls.${direction}`), operator, number].filter(Boolean).join(' · ');
}

/** Leads to all parts of a transferred call; null where there are no others. */
export function chainLink(job) {
  if (!job.other_parts) return null;
  return h('a', { class: 'chain', href: listAddress({ chain: job.call.metadata.chain_id }) }, t('calls.parts'));
}
