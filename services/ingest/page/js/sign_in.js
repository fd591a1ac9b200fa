// Signing in with an API key.

import { ask, Refused } from './api.js';
import { fill, h } from './dom.js';
import { languageButton } from './frame.js';
import { t } from './texts.js';

/** The view; `signedIn` is called with the session. */
export function signInView(signedIn, notice, switchLanguage) {
  const said = h('p', { class: 'notice', role: 'alert', id: 'sign-in-said' }, notice ?? '');
  const input = h('input', {
    id: 'key',
    type: 'password',
    autocomplete: 'current-password',
    spellcheck: 'false',
    required: true,
    maxlength: 128,
    'aria-describedby': 'key-hint sign-in-said',
  });
  const button = h('button', { type: 'submit', class: 'strong' }, t('sign_in.go'));

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      signedIn(await ask('v1/session', { method: 'POST', json: { key: input.value.trim() } }));
    } catch (error) {
      fill(said, error instanceof Refused && error.status === 401 ? t('sign_in.wrong') : error.text);
      button.disabled = false;
      input.select();
    }
  }

  return h(
    'main',
    { class: 'sign-in' },
    h('div', { class: 'sign-in-language' }, languageButton(switchLanguage)),
    h('img', { src: 'page/images/icon.svg', alt: '', width: 64, height: 64 }),
    h('h1', {}, 'razgovor'),
    h('p', { class: 'lead' }, t('sign_in.lead')),
    h(
      'form',
      { on: { submit }, 'aria-label': t('sign_in.title') },
      h('label', { for: 'key' }, t('sign_in.key')),
      input,
      h('p', { class: 'hint', id: 'key-hint' }, t('sign_in.hint')),
      said,
      button,
    ),
  );
}
