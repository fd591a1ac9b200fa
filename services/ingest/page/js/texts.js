// What the page says, in the language chosen; dates, times, sizes as that language writes them.

const KEPT = 'razgovor.locale';
const LOCALES = ['ru', 'en'];
let locale = 'en';
let texts = {};

/** The language: chosen before, else the browser's, if we speak it. */
export function wantedLocale(kept, browsers) {
  if (LOCALES.includes(kept)) return kept;
  const known = browsers.map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LOCALES.includes(tag));
  return known ?? 'en';
}

export async function loadTexts() {
  await speak(wantedLocale(read(), navigator.languages ?? []));
}

/** Speak this language from now on. */
export async function speak(wanted) {
  const answer = await fetch(`page/texts/${wanted}.json`);
  texts = await answer.json();
  locale = wanted;
  document.documentElement.lang = wanted;
  try {
    localStorage.setItem(KEPT, wanted);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}

function read() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

export const otherLocale = () => LOCALES.find((one) => one !== locale);

/** A text with its gaps filled; a gap without a value shows "?". */
export function t(name, values = {}) {
  return filled(texts[name] ?? name, values);
}

export function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, gap) => String((Object.hasOwn(values, gap) ? values[gap] : null) ?? '?'));
}

/** Whether there is such a text. */
export const knows = (name) => Object.hasOwn(texts, name);

/** Why a job failed, in this page's language; a code from a newer release comes with its own text. */
export function reasonText(reason) {
  const name = `reason.${reason.code}`;
  return knows(name) ? t(name, reason.details) : reason.text;
}

/** How dates and numbers are written: as in the reader's own country, if it speaks this language. */
const region = () => (navigator.languages ?? []).find((tag) => tag.slice(0, 2).toLowerCase() === locale) ?? locale;

export const percent = (share) =>
  new Intl.NumberFormat(region(), { style: 'percent', maximumFractionDigits: 0 }).format(share);

export const moment = (iso) =>
  new Intl.DateTimeFormat(region(), { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' }).format(
    new Date(iso),
  );

/** A day that may lie long ago. */
export const day = (iso) => new Intl.DateTimeFormat(region(), { dateStyle: 'long' }).format(new Date(iso));

export function size(bytes) {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  const step = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  const format = { style: 'unit', unit: units[step], maximumFractionDigits: step > 1 ? 1 : 0 };
  return new Intl.NumberFormat(region(), format).format(bytes / 1024 ** step);
}
