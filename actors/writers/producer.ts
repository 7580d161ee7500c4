/** Maker of a stream's segments: turns written data into queued segments. */
export interface Producer<Data> {
  /** Takes data. Resolves when there is room for more; rejects with the error of the stream. */
  write(data: Data): Promise<void>;
  /** Queues gathered data, at the end of the stream. */
  flush(): void | Promise<void>;
  /** Frees gathered data, as the stream has failed. */
  drop(): void;
}
