import { IsovecError } from '../base/errors.ts';
import type { Kernel } from './kernel.ts';

/** Bytes of a graph image between kernel memory and one array: a header, then parts, each a plain copy. */

/** The graph must have no doomed slots. */
export function saveImage(kernel: Kernel): Uint8Array<ArrayBuffer> {
  const parts = imageParts(kernel, kernel.call('isovec_image_save'));
  const header = headerView(kernel);
  const image = new Uint8Array(parts.reduce((length, part) => length + part.length, header.length));
  image.set(header);
  let at = header.length;
  for (const part of parts) {
    image.set(part, at);
    at += part.length;
  }
  return image;
}

/**
 * Into a kernel that holds nothing.
 * @returns how many slots now await their vectors
 * @throws IsovecError CORRUPTION, QUOTA_EXCEEDED; the kernel then still holds nothing
 */
export function loadImage(kernel: Kernel, image: Uint8Array): number {
  const headerBytes = kernel.call('isovec_image_header_bytes');
  if (image.length < headerBytes || image.length > 0xffff_ffff)
    throw new IsovecError('CORRUPTION', `graph image: ${image.length} bytes long`, {
      details: { length: image.length },
    });
  headerView(kernel).set(image.subarray(0, headerBytes));
  const count = kernel.call('isovec_image_open', image.length);
  let at = headerBytes;
  for (const part of imageParts(kernel, count)) {
    part.set(image.subarray(at, at + part.length));
    at += part.length;
  }
  return kernel.call('isovec_image_accept');
}

function headerView(kernel: Kernel): Uint8Array {
  return kernel.u8(kernel.call('isovec_image_header'), kernel.call('isovec_image_header_bytes'));
}

function imageParts(kernel: Kernel, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, number) => {
    const [address, length] = kernel.u32(kernel.call('isovec_image_part', number), 2);
    return kernel.u8(address!, length!);
  });
}
