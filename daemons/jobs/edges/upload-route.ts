import type { IncomingMessage } from 'node:http';
import { callerOf } from '@jobber/shared/auth-guard';
import { type Context, Hono } from 'hono';
import { startAnswerTime } from '../answer-in-time.ts';
import { checkUploadQuota, receiveUpload, type UploadParts } from '../use-cases/receive-upload.ts';
import type { HttpEdge } from './http-edge.ts';
import { createPerUserLimit } from './limit-per-user.ts';
import { readMultipartFile } from './multipart-file.ts';

/** Uploads of one user at the same time. */
const MAX_CONCURRENT = 4;

/** `POST /jobs/uploads/file`: multipart, field `file`, login required; 201 and what is known of the file. */
export function uploadRoute(parts: UploadParts & { stallMs: number; edge: HttpEdge }): Hono {
  const { edge, stallMs } = parts;
  const concurrent = createPerUserLimit(MAX_CONCURRENT, `send ${MAX_CONCURRENT} files`);
  const app = new Hono();

  app.post('/jobs/uploads/file', async (c) =>
    edge.answer(c, 'upload', async () => {
      const time = startAnswerTime();
      const identity = await time.wait(callerOf(c).identity());
      const leave = concurrent.enter(identity.userId);
      try {
        const room = await time.wait(checkUploadQuota(parts, identity));
        const limits = { maxBytes: parts.limits.maxBytes, stallMs };
        const upload = await readMultipartFile(incomingOf(c), limits, (file) =>
          receiveUpload(parts, identity, file, room),
        );
        return c.json({ message: 'File uploaded', ...upload }, 201);
      } finally {
        leave();
      }
    }),
  );
  return app;
}

function incomingOf(c: Context): IncomingMessage {
  return (c.env as { incoming: IncomingMessage }).incoming;
}
