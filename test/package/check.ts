export interface Check {
  /** A sentence of behaviour. */
  title: string;
  /** Throws when the behaviour is not there. */
  run(folder: string): Promise<void>;
}
