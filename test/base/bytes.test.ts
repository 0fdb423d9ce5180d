import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, CopyRoom } from '../../src/base/bytes.ts';

const field = fc.oneof(
  fc.record({ kind: fc.constant('u8' as const), value: fc.nat(0xff) }),
  fc.record({ kind: fc.constant('u16' as const), value: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant('u32' as const), value: fc.nat(0xffff_ffff) }),
  fc.record({ kind: fc.constant('u64' as const), value: fc.nat(Number.MAX_SAFE_INTEGER) }),
);

describe('byte reader and writer', () => {
  it('read back what was written, and not a byte more', () => {
    fc.assert(
      fc.property(fc.array(field), fc.uint8Array(), fc.array(fc.float()), (fields, raw, floats) => {
        const writer = new ByteWriter(1);
        for (const { kind, value } of fields) writer[kind](value);
        writer.raw(raw).f32s(Float32Array.from(floats));
        const reader = new ByteReader(writer.bytes(), 'test');
        const room = new CopyRoom(raw.length + floats.length * 4);
        for (const { kind, value } of fields) expect(reader[kind]()).toBe(value);
        expect(reader.raw(raw.length)).toEqual(raw);
        expect(reader.f32s(floats.length, room)).toEqual(Float32Array.from(floats));
        expect(room.bytes(raw)).toEqual(raw);
        expect(reader.remaining).toBe(0);
        expect(() => reader.u8()).toThrow(
          expect.objectContaining({ code: 'CORRUPTION', details: { file: 'test', offset: writer.length } }),
        );
      }),
    );
  });

  it('refuse a 64-bit number that no double holds', () => {
    const bytes = new Uint8Array(8).fill(0xff);
    expect(() => new ByteReader(bytes, 'test').u64()).toThrow(
      expect.objectContaining({ code: 'CORRUPTION' }),
    );
  });
});
