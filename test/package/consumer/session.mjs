/** What every consumer does: store, close, and in a later session open again, query and clean up. */
import { destroy, IsovecError, open } from 'isovec';

const RECORDS = [
  { id: 'east', vector: [1, 0, 0], metadata: { title: 'East' } },
  { id: 'north', vector: [0, 1, 0], metadata: { title: 'North' } },
  { id: 'up', vector: [0, 0, 1], metadata: { title: 'Up' } },
];

export const session = { write, read, remove };

async function write(location, options) {
  const database = await open(location, options);
  const directions = await database.collection('directions', { dimensions: 3 });
  await directions.insert(RECORDS);
  await database.close();
}

async function read(location, options) {
  const database = await open(location, options);
  const directions = await database.collection('directions');
  const [nearest] = await directions.query({ vector: [0.1, 0.9, 0.1], topK: 1 });
  expect(
    nearest?.id === 'north' && nearest.metadata.title === 'North',
    `north, got ${JSON.stringify(nearest)}`,
  );
  expect((await directions.count()) === RECORDS.length, 'every record');
  await expectError(directions.query({ vector: [1, 2] }), 'DIMENSION_MISMATCH');
  await database.close();
}

async function remove(location, options) {
  await destroy(location, options);
  const database = await open(location, options);
  expect((await database.collections()).length === 0, 'nothing to be left');
  await database.close();
  await destroy(location, options);
}

async function expectError(promise, code) {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error instanceof IsovecError && error.code === code, `an IsovecError ${code}, got ${error}`);
}

function expect(condition, what) {
  if (!condition) throw new Error(`Expected ${what}`);
}
