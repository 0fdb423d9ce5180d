import type { Awaitable } from '../base/awaitable.ts';
import type { Host } from './host.ts';
import type { Answer, Call } from './protocol.ts';
import { answerBuffers, failed } from './server.ts';
import { NO_ANSWER, type Port, type Request, type Response } from './wire.ts';

interface Ready {
  response: Response;
  transfer: Transferable[];
}

/** Lets the page at the other end of a channel use a host. Answers that are ready in one turn of the event loop go together. */
export function serveHost(host: Host, port: Port): void {
  let ready: Ready[] = [];

  const post = (answers: Ready[]) => {
    try {
      port.post(
        answers.map(({ response }) => response),
        answers.flatMap(({ transfer }) => transfer),
      );
    } catch (error) {
      // Only those that cannot be sent are not.
      if (answers.length > 1) for (const answer of answers) post([answer]);
      else port.post([[answers[0]!.response[0], failed(error)]], []);
    }
  };
  const postReady = () => {
    const answers = ready;
    ready = [];
    post(answers);
  };

  port.listen((requests: Request[]) => {
    for (const [id, method, given] of requests) {
      const call = host[method] as (...given: unknown[]) => Awaitable<Answer<unknown>>;
      const answer = call.apply(host, given);
      if (id === NO_ANSWER) continue;
      const respond = (made: Answer<unknown>) => {
        if (ready.length === 0) queueMicrotask(postReady);
        const transfer = method === 'call' ? answerBuffers(given[1] as Call, made) : [];
        ready.push({ response: [id, made], transfer });
      };
      if (answer instanceof Promise) answer.catch(failed).then(respond);
      else respond(answer);
    }
  });
}
