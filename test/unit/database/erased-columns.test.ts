import { getTableColumns } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { BLINDED_COLUMNS, KEPT_COLUMNS } from '../../../src/database/personal-data.ts';
import { attempts } from '../../../src/database/schema.ts';

it('every column of attempts is either blinded or kept when a person is erased', () => {
  const listed = [...BLINDED_COLUMNS, ...KEPT_COLUMNS].toSorted();
  expect(listed).toEqual(Object.keys(getTableColumns(attempts)).toSorted());
});
