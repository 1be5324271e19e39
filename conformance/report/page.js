const details = JSON.parse(document.getElementById('details').textContent);
const dialog = document.getElementById('cell');

function element(name, text, style) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (style) made.className = style;
  return made;
}

function show(cell) {
  const close = element('button', '×', 'close');
  close.setAttribute('aria-label', 'close');
  close.addEventListener('click', () => dialog.close());
  dialog.replaceChildren(close, element('h2', `${cell.id} over ${cell.backend}`), element('p', cell.sentence));
  for (const test of cell.tests) {
    const list = element('dl');
    const add = (name, ...content) => {
      const value = element('dd');
      value.append(...content);
      list.append(element('dt', name), value);
    };
    add('expected', test.expected);
    add('verdict', element('b', test.verdict, test.style), ` after ${test.milliseconds} ms`);
    if (test.reason) add('happened', element('pre', test.reason));
    add('replay', element('pre', test.replay));
    dialog.append(element('h3', test.test), list);
  }
  dialog.showModal();
}

document.querySelector('table').addEventListener('click', (event) => {
  const button = event.target.closest('button[data-cell]');
  if (button) show(details[button.dataset.cell]);
});
dialog.addEventListener('click', (event) => {
  if (event.target === dialog) dialog.close();
});
document.getElementById('filter').addEventListener('change', (event) => {
  document.querySelector('table').classList.toggle('hiding', event.target.checked);
});
