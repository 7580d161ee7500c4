/**
 * Actor logics over a runtime, to invoke or spawn in a machine of your own under `actors:` in xstate's `setup()`.
 *
 * @module
 */
export {
  type SendActorContext,
  type SendActorEvent,
  type SendActorLogic,
  sendBytesActor,
  type SendBytesInput,
  sendFileActor,
  type SendFileInput,
  sendTextActor,
  type SendTextInput,
  type StreamProgressEvent,
} from "./logic/send.ts";
export {
  type BytesReceivedEvent,
  streamListener,
  type StreamListenerInput,
  type StreamReceivedEvent,
  type TextReceivedEvent,
} from "./logic/listen.ts";
