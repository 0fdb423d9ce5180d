/**
 * What an engine needs seldom, loaded when it first does. All in one module: bundlers split what it shares with the
 * rest into chunks of their own, and many of those cost more than this saves.
 */
export { compileFilter } from '../filter/filter.ts';
export * as replaying from '../journal/replay.ts';
export { OpfsReader } from '../storage/opfs-reader.ts';
export { Archiving } from './archiving.ts';
export { changed } from './changing.ts';
export { hasDerivedToStore, note, store } from './checkpoint.ts';
export {
  checkConfigMatches,
  checkQuantization,
  resolveConfig,
  withCheckedSchema,
} from './config.ts';
export { deleteMatching } from './delete-matching.ts';
export { hitsInTurns } from './hits-in-turns.ts';
export { indexIds } from './index-ids.ts';
export { openSalvaged } from './integrity/open-salvaged.ts';
export { repair } from './integrity/repair.ts';
export { verify } from './integrity/verify.ts';
export { verifyRegularly } from './integrity/verify-regularly.ts';
export { loadCollection } from './load-collection.ts';
export { makeOtherIndex } from './make-other-index.ts';
export { MemoryLimit } from './memory-limit.ts';
export { Overhaul } from './overhaul.ts';
export { PlanRecorder } from './plan-recorder.ts';
export { ResultCache } from './queries/result-cache.ts';
export { selectHits } from './queries/select.ts';
export { findTogether } from './queries/together.ts';
export { searchCodes } from './query-codes.ts';
export { searchMatching } from './query-matching.ts';
export { restoreLocal } from './restore.ts';
export { checkBodies } from './schemas.ts';
export * as seldomCalls from './seldom-calls.ts';
export { share } from './sharing.ts';
export { statisticsOf } from './statistics.ts';
export { tellCreated } from './tell-created.ts';
export { runTransaction } from './transaction.ts';
export { recoverUndisturbed } from './undisturbed.ts';
