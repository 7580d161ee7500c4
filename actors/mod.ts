/**
 * Actor logic that sends and receives by a runtime, to invoke or spawn in your own machine: under `actors:` of xstate's `setup()`.
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
