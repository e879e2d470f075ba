import { Empty } from "~/parts/Empty";
import { useSay } from "~/words/useSay";
import type { DeliveryHeader } from "../useHeader";

export function SendingTab(_: { header: DeliveryHeader }) {
  return <Empty title={useSay()("delivery.not_yet")} />;
}
