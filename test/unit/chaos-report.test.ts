import { expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';

import { keptRuns, REPORT_FILE, reportOf } from '../chaos/report';

it('the report of the fault harness says what its runs came to', () => {
  expect(readFileSync(REPORT_FILE, 'utf8')).toBe(reportOf(keptRuns()));
});
