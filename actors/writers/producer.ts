/** Source of a stream's segments: takes what is written, and puts segments in the stream's send queue. */
export interface Producer<Data> {
  /** Takes data. Resolves when there is room for more; rejects with the error of the stream. */
  write(data: Data): Promise<void>;
  /** Queues what was gathered, as no more comes. */
  flush(): void | Promise<void>;
  /** Gives back the memory of what was gathered, as the stream has failed. */
  drop(): void;
}
