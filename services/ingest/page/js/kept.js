// What of a call is kept no longer, and why: in a sentence each.

import { h } from './dom.js';
import { day, t } from './texts.js';

/** The sentences; null where all is there that there ever was. `transcript`: the call's, or null. */
export function notKept(job, transcript) {
  const said = sentences(job, transcript).map((text) => h('p', {}, text));
  return said.length === 0 ? null : h('div', { class: 'not-kept', role: 'status' }, said);
}

function sentences(job, transcript) {
  if (job.erasure !== null) return [t('call.erased', { day: day(job.erasure.requested_at) })];
  const said = [];
  if (job.audio.expired_at !== null) said.push(t('call.audio_expired', { day: day(job.audio.expired_at) }));
  if (job.state === 'completed' && transcript === null) said.push(withoutDialogue(job.result?.expired_at));
  return said;
}

/** Without a day where the store's own rule took it, of which nobody is told. */
const withoutDialogue = (expiredAt) => (expiredAt ? t('call.transcript_expired', { day: day(expiredAt) }) : t('call.transcript_gone'));
