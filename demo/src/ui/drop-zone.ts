/** Takes in the visitor's own files, dropped anywhere on the page or chosen. */
import { byId } from './dom.ts';

export function acceptFiles(take: (files: File[]) => void): void {
  const zone = byId('drop-zone', HTMLElement);
  const input = byId('file-input', HTMLInputElement);
  input.addEventListener('change', () => {
    take([...(input.files ?? [])]);
    // So that choosing the same file again is a change again.
    input.value = '';
  });
  document.addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    zone.classList.add('is-target');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) zone.classList.remove('is-target');
  });
  document.addEventListener('drop', (event) => {
    zone.classList.remove('is-target');
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(files);
  });
}
