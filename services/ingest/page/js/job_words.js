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

const chainOf = (job) => job.call.metadata.chain_id;

/** The chains that several of these jobs belong to: each is a call that was transferred. */
export function sharedChains(jobs) {
  const [known, shared] = [new Set(), new Set()];
  for (const chain of jobs.map(chainOf).filter(Boolean)) (known.has(chain) ? shared : known).add(chain);
  return shared;
}

/** Leads to all parts of a job's call; null where it belongs to no chain, or to none of these. */
export function chainLink(job, chains = null) {
  const chain = chainOf(job);
  if (!chain || (chains !== null && !chains.has(chain))) return null;
  return h('a', { class: 'chain', href: listAddress({ q: chain }) }, t('calls.parts'));
}
