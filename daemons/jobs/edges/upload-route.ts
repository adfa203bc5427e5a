import type { IncomingMessage } from 'node:http';
import { callerOf } from '@jobber/shared/auth-guard';
import { AppError, type ClassifyError, isAppError } from '@jobber/shared/errors';
import { errorResponse } from '@jobber/shared/http';
import type { Logger } from '@jobber/shared/log';
import { type Context, Hono } from 'hono';
import { checkUploadQuota, receiveUpload, type UploadParts } from '../use-cases/receive-upload.ts';
import { readMultipartFile } from './multipart-file.ts';

/** Uploads of one user at the same time. */
const MAX_CONCURRENT = 4;

/** `POST /jobs/uploads/file`: multipart, field `file`, login required; 201 and what is known of the file. */
export function uploadRoute(parts: UploadParts & { classify: ClassifyError }, log: Logger): Hono {
  const running = new Map<string, number>();
  const app = new Hono();

  app.post('/jobs/uploads/file', async (c) => {
    try {
      const identity = await callerOf(c).identity();
      const count = running.get(identity.userId) ?? 0;
      if (count >= MAX_CONCURRENT) {
        throw new AppError('THROTTLED', `You can send ${MAX_CONCURRENT} files at the same time`, {
          limit: MAX_CONCURRENT,
        });
      }
      running.set(identity.userId, count + 1);
      try {
        await checkUploadQuota(parts, identity);
        const upload = await readMultipartFile(incomingOf(c), parts.limits.maxBytes, (file) =>
          receiveUpload(parts, identity, file),
        );
        return c.json({ message: 'File uploaded', ...upload }, 201);
      } finally {
        const left = (running.get(identity.userId) ?? 1) - 1;
        if (left === 0) running.delete(identity.userId);
        else running.set(identity.userId, left);
      }
    } catch (error) {
      if (!isAppError(error) && !parts.classify(error)) log.error({ err: error }, 'upload failed');
      // What is left of the body is not read: the connection ends with the answer.
      c.header('connection', 'close');
      return errorResponse(c, error, parts.classify);
    }
  });
  return app;
}

function incomingOf(c: Context): IncomingMessage {
  return (c.env as { incoming: IncomingMessage }).incoming;
}
