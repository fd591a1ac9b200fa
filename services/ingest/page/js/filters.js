// What the list is asked for: a search, a state, a direction, days, the parts of one call.

import { h } from './dom.js';
import { STATES } from './states.js';
import { t } from './texts.js';

const NAMES = ['q', 'state', 'direction', 'since', 'until'];
const TYPED_MS = 300;

/** What the API takes for what the address says. Days are the reader's own, from midnight to midnight. */
export function asked(filters) {
  const { q, state, direction, since, until, chain } = filters;
  return { q, state, direction, chain_id: chain, since: midnight(since, 0), before: midnight(until, 1) };
}

/** A day's first moment with its zone, so many days later; nothing of what is no day. */
export function midnight(day, later) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '');
  if (parts === null) return undefined;
  const moment = new Date(Number(parts[1]), Number(parts[2]) - 1, Number(parts[3]) + later);
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}

/** The bar over the list; `changed` is told the filters. */
export function filterBar(filters, changed) {
  const search = h('input', { type: 'search', maxlength: 200, placeholder: t('calls.search_hint'), name: 'q' });
  const state = choice('state', t('calls.any_state'), STATES.map((one) => [one, t(`state.${one}`)]));
  const direction = choice('direction', t('calls.any_direction'), [
    ['inbound', t('calls.inbound')],
    ['outbound', t('calls.outbound')],
  ]);
  const since = h('input', { type: 'date', name: 'since', min: '1970-01-01', max: '2199-12-31' });
  const until = h('input', { type: 'date', name: 'until', min: '1970-01-01', max: '2199-12-31' });
  const fields = { q: search, state, direction, since, until };
  for (const name of NAMES) fields[name].value = filters[name] ?? '';
  const reset = h('button', { type: 'button', class: 'quiet', on: { click: clear } }, t('calls.reset'));

  let { chain } = filters; // nobody types it: a call leads to it
  const parts = chain ? h('p', { class: 'wide' }, h('button', { type: 'button', 'aria-label': t('calls.all_again'), title: t('calls.all_again'), on: { click: unchain } }, t('calls.parts'), ' ×')) : null;

  const tell = () => changed({ ...Object.fromEntries(NAMES.map((name) => [name, fields[name].value.trim()])), chain });
  let typing = null;
  search.addEventListener('input', () => {
    clearTimeout(typing);
    typing = setTimeout(tell, TYPED_MS);
  });
  for (const name of NAMES.slice(1)) fields[name].addEventListener('change', tell);

  function unchain() {
    chain = undefined;
    parts.remove();
    search.focus();
    tell();
  }

  function clear() {
    for (const name of NAMES) fields[name].value = '';
    chain = undefined;
    parts?.remove();
    tell();
  }

  return h(
    'form',
    { class: 'filters', role: 'search', on: { submit: (event) => event.preventDefault() } },
    parts,
    h('label', { class: 'wide' }, t('calls.search'), search),
    h('label', {}, t('calls.state'), state),
    h('label', {}, t('calls.direction'), direction),
    h('label', {}, t('calls.since'), since),
    h('label', {}, t('calls.until'), until),
    reset,
  );
}

function choice(name, any, options) {
  return h('select', { name }, h('option', { value: '' }, any), options.map(([value, text]) => h('option', { value }, text)));
}
