// The page's start: language, who is signed in, which view.

import { ask, Refused } from './api.js';
import { callView } from './call.js';
import { callsView } from './calls.js';
import { fill, h } from './dom.js';
import { frame } from './frame.js';
import { route } from './routes.js';
import { signInView } from './sign_in.js';
import { loadTexts, otherLocale, speak, t } from './texts.js';
import { refuseHtml } from './trust.js';
import { Uploads } from './uploads.js';

const root = document.getElementById('page');
let session = null;
let uploads = null;
let leave = () => {};

/** Shows what the address asks for, to whoever is signed in. */
async function show(notice = null) {
  leave();
  leave = () => {};
  const wanted = route(location.hash);
  if (wanted.view === 'sign-in') {
    await useLink(wanted.link);
    return;
  }
  if (session === null) {
    fill(root, signInView(signedIn, notice, switchLanguage));
    root.querySelector('input')?.focus();
    return;
  }
  const view = wanted.view === 'call' ? callView(wanted.id, session) : callsView(wanted.filters, session, uploads);
  leave = view.leave;
  fill(root, frame(session, view.element, { switchLanguage, signOut }));
  document.title = `${t('page.title')} · razgovor`;
}

/** The link's token leaves the address before anything else happens: it must not stay in the history. */
async function useLink(link) {
  history.replaceState(null, '', '#/');
  try {
    signedIn(await ask('v1/session', { method: 'POST', json: { link } }));
  } catch (error) {
    const text = error instanceof Refused && error.status !== 401 ? error.text : t('sign_in.link_used');
    await whoIsThere();
    await show(text);
  }
}

function signedIn(opened) {
  session = opened;
  uploads = new Uploads(opened.max_audio_bytes);
  show();
}

async function signOut() {
  try {
    await ask('v1/session', { method: 'DELETE' });
  } finally {
    session = null;
    history.replaceState(null, '', '#/');
    show();
  }
}

async function switchLanguage() {
  await speak(otherLocale());
  show();
}

async function whoIsThere() {
  const answer = await fetch('v1/session').catch(() => null);
  session = answer?.ok ? await answer.json() : null;
  uploads = session === null ? null : new Uploads(session.max_audio_bytes);
}

refuseHtml();
fill(root, h('p', { class: 'centre' }, '…'));
await loadTexts();
if (route(location.hash).view !== 'sign-in') await whoIsThere();
addEventListener('hashchange', async () => {
  await show();
  scrollTo(0, 0);
  document.getElementById('main')?.focus({ preventScroll: true }); // whoever cannot see it is told that it is another view
});
addEventListener('signed-out', () => {
  if (session === null) return;
  session = null;
  show(t('sign_in.over'));
});
await show();
