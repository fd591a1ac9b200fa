// Where recordings are dropped, and how far each of them is.

import { fill, h, icon } from './dom.js';
import { callAddress } from './routes.js';
import { percent, size, t } from './texts.js';

const ARROW = 'M12 4v11m0-11 4 4m-4-4-4 4M5 15v4h14v-4';
const CROSS = 'M6 6l12 12M18 6 6 18';

/** The area over these uploads: {element, leave}. */
export function uploadArea(uploads) {
  const rows = new Map();
  const list = h('ul', { class: 'uploads', 'aria-label': t('upload.list') });
  const summary = h('p', { class: 'uploads-summary', role: 'status' });
  const channels = channelChoice();
  const input = h('input', { id: 'files', type: 'file', multiple: true, accept: 'audio/*,.wav,.mp3,.flac,.ogg,.opus,.m4a,.mp4,.aac,.amr' });
  input.addEventListener('change', () => {
    uploads.add(input.files, channels.value);
    input.value = '';
  });
  const zone = h(
    'section',
    { class: 'drop', 'aria-labelledby': 'drop-title' },
    icon(ARROW),
    h('h2', { id: 'drop-title' }, t('upload.drop')),
    h('p', { class: 'hint' }, t('upload.formats', { size: size(uploads.maxBytes) })),
    h(
      'div',
      { class: 'drop-row' },
      h('label', { class: 'button strong file', for: 'files' }, t('upload.choose'), input),
      h('label', { class: 'choice' }, t('upload.channels'), channels),
    ),
  );
  const stop = dropOn(zone, (files) => uploads.add(files, channels.value));

  function show() {
    for (const [upload, row] of rows) {
      if (!uploads.list.includes(upload)) {
        row.remove();
        rows.delete(upload);
      }
    }
    for (const upload of uploads.list) showRow(upload);
    const done = uploads.list.filter((upload) => upload.state === 'done').length;
    fill(summary, uploads.list.length > 0 ? [t('upload.summary', { done, all: uploads.list.length }), ' ', done > 0 && clearButton()] : '');
  }

  function showRow(upload) {
    let row = rows.get(upload);
    if (row === undefined) {
      row = h('li', { class: 'upload' });
      rows.set(upload, row);
      list.append(row);
    }
    if (row.dataset.state !== upload.state) {
      row.dataset.state = upload.state;
      fill(row, rowContent(upload));
    }
    const bar = row.querySelector('progress');
    if (bar !== null) {
      bar.value = upload.share;
      fill(row.querySelector('.upload-state'), stateText(upload));
    }
  }

  function rowContent(upload) {
    const { name } = upload.file;
    const shown = upload.state === 'done' ? h('a', { href: callAddress(upload.jobId) }, name) : name;
    const content = [h('span', { class: 'upload-name' }, shown), h('span', { class: 'upload-state' }, stateText(upload))];
    if (upload.state === 'waiting' || upload.state === 'sending') {
      content.push(h('progress', { max: 1, value: upload.share, 'aria-label': t('upload.progress', { name }) }));
    }
    if (upload.again) {
      const again = { type: 'button', class: 'quiet', 'aria-label': t('upload.again', { name }) };
      content.push(h('button', { ...again, on: { click: () => uploads.again(upload) } }, t('page.again')));
    }
    if (upload.state !== 'done') {
      const remove = { type: 'button', class: 'quiet small', 'aria-label': t('upload.remove', { name }), title: t('upload.remove', { name }) };
      content.push(h('button', { ...remove, on: { click: () => uploads.remove(upload) } }, icon(CROSS)));
    }
    return content;
  }

  const clearButton = () => h('button', { type: 'button', class: 'quiet', on: { click: () => uploads.clear() } }, t('upload.clear'));

  uploads.addEventListener('change', show);
  show();
  const element = h('div', { class: 'upload-area' }, zone, summary, list);
  return {
    element,
    leave() {
      stop();
      uploads.removeEventListener('change', show);
    },
  };
}

function stateText(upload) {
  if (upload.state === 'refused') return upload.text;
  if (upload.state !== 'sending') return t(`upload.${upload.state}`);
  return upload.share < 1 ? t('upload.sending', { percent: percent(upload.share) }) : t('upload.saving');
}

function channelChoice() {
  const options = [
    ['', t('upload.channels_rule')],
    ['operator,customer', t('upload.channels_operator')],
    ['customer,operator', t('upload.channels_customer')],
  ];
  return h('select', {}, options.map(([value, text]) => h('option', { value }, text)));
}

/** Takes what is dropped anywhere on the window, and shows on the zone that it would. Gives what undoes it. */
function dropOn(zone, take) {
  const carriesFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const handlers = {
    dragover(event) {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.classList.add('over');
    },
    dragleave(event) {
      if (event.relatedTarget === null) zone.classList.remove('over');
    },
    drop(event) {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      zone.classList.remove('over');
      take(event.dataTransfer.files);
    },
  };
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
  return () => {
    for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler);
  };
}
