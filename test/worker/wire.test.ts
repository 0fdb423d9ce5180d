import { MessageChannel } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { errorFromImage } from '../../src/base/errors.ts';
import { nodePort } from '../../src/runtime/node-port.ts';
import type { Host } from '../../src/worker/host.ts';
import type { HostEnd } from '../../src/worker/link.ts';
import type { Answer, Call } from '../../src/worker/protocol.ts';
import { serveHost } from '../../src/worker/serve-host.ts';
import { hostOver, type Request } from '../../src/worker/wire.ts';

let close = () => {};

afterEach(() => close());

/** @returns the host as a page sees it, and how many requests came in each message */
function served(call: Host['call']): { end: HostEnd; messages: number[]; told: unknown[] } {
  const { port1, port2 } = new MessageChannel();
  close = () => port1.close();
  const messages: number[] = [];
  port2.on('message', (requests: Request[]) => messages.push(requests.length));
  const told: unknown[] = [];
  const host: Partial<Host> = { call, abort: (id) => void told.push(id) };
  serveHost(host as Host, nodePort(port2));
  return { end: hostOver(nodePort(port1)), messages, told };
}

const echo: Host['call'] = async (id, call) => ({ ok: true, value: [id, call] });
const asked = (args: unknown[]): Call => ({ type: 'database', method: 'stats', args });

async function valueIn(answer: Promise<Answer<unknown>>): Promise<unknown> {
  const settled = await answer;
  if (!settled.ok) throw errorFromImage(settled.error);
  return settled.value;
}

describe('the wire between a page and its worker', () => {
  it('sends the first request of a turn at once, and those that may wait together behind it', async () => {
    const { end, messages } = served(echo);
    const answers = Array.from({ length: 32 }, (_, at) => end.call(at, asked([at]), { mayWait: true }));
    expect(await Promise.all(answers)).toEqual(
      answers.map((_, at) => ({ ok: true, value: [at, asked([at])] })),
    );
    expect(messages).toEqual([1, 31]);
    await end.call(32, asked([]), { mayWait: true });
    expect(messages).toEqual([1, 31, 1]);
  });

  it('keeps the order in which things are said, whether they may wait or not', async () => {
    const order: number[] = [];
    const { end, told } = served(async (id) => {
      order.push(id);
      return { ok: true, value: told.length };
    });
    const answers = [
      end.call(1, asked([]), { mayWait: true }),
      end.call(2, asked([]), { mayWait: true }),
      end.call(3, asked([])),
      end.call(4, asked([]), { mayWait: true }),
    ];
    end.abort(4);
    answers.push(end.call(5, asked([]), { mayWait: true }));
    expect((await Promise.all(answers)).map((answer) => answer.ok && answer.value)).toEqual([0, 0, 0, 0, 1]);
    expect(order).toEqual([1, 2, 3, 4, 5]);
    expect(told).toEqual([4]);
  });

  it('sends what can be sent beside what cannot', async () => {
    const { end } = served(echo);
    const outcomes = await Promise.allSettled(
      [[1], [2], [() => {}], [4], [Symbol('none')]].map((args, at) =>
        end.call(at, asked(args), { mayWait: true }),
      ),
    );
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
    ]);
    expect(outcomes[2]).toMatchObject({ reason: { name: 'DataCloneError' } });
  });

  it('tells of answers that cannot be sent, and of a host that fails', async () => {
    const { end } = served(async (id) => {
      if (id === 3) throw new RangeError('nothing open');
      return { ok: true, value: id === 2 ? () => {} : id };
    });
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map((id) => valueIn(end.call(id, asked([]), { mayWait: true }))),
    );
    expect(outcomes).toMatchObject([
      { value: 1 },
      { reason: { name: 'DataCloneError' } },
      { reason: { message: 'nothing open' } },
      { value: 4 },
    ]);
  });

  it('hands over what is to be transferred', async () => {
    const { end } = served(echo);
    const vector = new Float32Array(3);
    const answer = end.call(1, asked([vector]), { transfer: [vector.buffer] });
    expect(vector.length).toBe(0);
    expect(await answer).toEqual({ ok: true, value: [1, asked([new Float32Array(3)])] });
  });
});
