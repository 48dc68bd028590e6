import { expect, it } from '@jest/globals';
import { Client } from 'pg';

import { startApp } from '../support/app';
import { abandon, connect, copyIn } from '../chaos/writers/sql-client';

// What a file leaves running fails it, so this one fails where a COPY leaves the timer of its query behind.
it('a COPY of the fault harness ends with all that it has started', async () => {
  const app = await startApp({ isRelaying: false });
  try {
    const { host, port, user, database } = new Client({ connectionString: app.databaseUrl });
    const client = await connect({ host, port, user: user ?? '', database: database ?? '' }, 'chaos writer');
    await copyIn(client, 'COPY tag_concepts (name) FROM STDIN', ['copied']);
    await expect(copyIn(client, 'COPY tag_concepts (name) FROM STDIN', ['copied'])).rejects.toMatchObject({
      code: '23505',
    });
    abandon(client);
  } finally {
    await app.close();
  }
});
