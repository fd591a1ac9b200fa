// What surrounds every view: the bar on top, who is signed in, the language.

import { h } from './dom.js';
import { otherLocale, t } from './texts.js';

/** The page around a view. */
export function frame(session, view, { switchLanguage, signOut }) {
  return [
    h('a', { class: 'skip', href: '#main', on: { click: skip } }, t('page.skip')),
    h(
      'header',
      { class: 'bar' },
      h('a', { class: 'brand', href: '#/' }, h('img', { src: 'page/images/icon.svg', alt: '', width: 28, height: 28 }), 'razgovor'),
      h('span', { class: 'who' }, session.name),
      languageButton(switchLanguage),
      h('button', { type: 'button', class: 'quiet', on: { click: signOut } }, t('page.sign_out')),
    ),
    h('main', { id: 'main', tabindex: -1 }, view),
  ];
}

/** To the other language, said in that language. */
export function languageButton(switchLanguage) {
  const other = otherLocale();
  const button = { type: 'button', class: 'quiet', lang: other, title: t('page.language'), 'aria-label': t('page.language') };
  return h('button', { ...button, on: { click: switchLanguage } }, other.toUpperCase());
}

function skip(event) {
  event.preventDefault();
  document.getElementById('main').focus();
}
