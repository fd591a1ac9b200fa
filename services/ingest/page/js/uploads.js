// Recordings on their way to the server: a few at a time, each with its own progress. Outlives the view that shows it.

import { PAGE_HEADER, Refused, refusal } from './api.js';
import { t, size } from './texts.js';

const AT_ONCE = 3;
/** So few are waited for by somebody who looks; more are a batch. */
const INTERACTIVE = 10;

/** Emits `change` with the upload that changed as `detail`, and `accepted`. */
export class Uploads extends EventTarget {
  constructor(maxBytes) {
    super();
    this.maxBytes = maxBytes;
    this.list = [];
  }

  /** Adds files; `channels` is what the field of this name takes, or ''. */
  add(files, channels) {
    const added = [...files].map((file) => ({ file, channels, key: randomKey(), state: 'waiting', share: 0, text: '', jobId: null, again: false }));
    for (const upload of added) {
      this.list.push(upload);
      const fault = this.#fault(upload.file);
      if (fault !== null) this.#end(upload, 'refused', fault, false);
      else this.#tell(upload);
    }
    this.#next();
  }

  /** Sends one again that did not arrive. The key is the same: what arrived after all is not taken twice. */
  again(upload) {
    Object.assign(upload, { state: 'waiting', share: 0, text: '', again: false });
    this.#tell(upload);
    this.#next();
  }

  /** Gives one up, and takes it off the list. */
  remove(upload) {
    upload.request?.abort();
    this.list = this.list.filter((one) => one !== upload);
    this.#tell(upload);
    this.#next();
  }

  /** Takes off the list what has ended well. */
  clear() {
    this.list = this.list.filter((upload) => upload.state !== 'done');
    this.#tell(null);
  }

  #fault(file) {
    if (file.size === 0) return t('upload.empty');
    return file.size > this.maxBytes ? t('upload.too_large', { size: size(this.maxBytes) }) : null;
  }

  #next() {
    const busy = this.list.filter((upload) => upload.state === 'sending').length;
    const waiting = this.list.filter((upload) => upload.state === 'waiting');
    for (const upload of waiting.slice(0, Math.max(0, AT_ONCE - busy))) this.#send(upload);
  }

  #send(upload) {
    const request = new XMLHttpRequest(); // fetch does not tell how much was sent
    const form = new FormData();
    if (upload.channels !== '') form.append('channels', upload.channels);
    form.append('priority', this.list.length <= INTERACTIVE ? 'interactive' : 'normal');
    form.append('file', upload.file, upload.file.name);
    Object.assign(upload, { request, state: 'sending' });
    request.open('POST', 'v1/jobs');
    request.setRequestHeader(PAGE_HEADER, '1');
    request.setRequestHeader('Idempotency-Key', upload.key);
    request.upload.addEventListener('progress', (event) => {
      upload.share = event.total > 0 ? event.loaded / event.total : 0;
      this.#tell(upload);
    });
    request.addEventListener('load', () => this.#answered(upload, request));
    request.addEventListener('error', () => {
      const code = navigator.onLine === false || upload.share === 0 ? 'network' : 'cut_off';
      this.#end(upload, 'refused', new Refused(code).text, true);
    });
    request.send(form);
    this.#tell(upload);
  }

  #answered(upload, request) {
    if (request.status === 202) {
      upload.jobId = JSON.parse(request.responseText).job_id;
      this.#end(upload, 'done', '', false);
      this.dispatchEvent(new Event('accepted'));
      return;
    }
    if (request.status === 401) dispatchEvent(new Event('signed-out'));
    const refused = refusal(request.status, request.responseText);
    this.#end(upload, 'refused', refused.text, refused.passes);
  }

  #end(upload, state, text, again) {
    Object.assign(upload, { state, text, again, request: null });
    this.#tell(upload);
    this.#next();
  }

  #tell(upload) {
    this.dispatchEvent(new CustomEvent('change', { detail: upload }));
  }
}

/** 128 random bits as text. (randomUUID is only there over https.) */
export function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
