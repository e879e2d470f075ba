import { Link } from "@chakra-ui/react";
import { Link as RouterLink } from "react-router-dom";
import { type DeliveryTab, deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import type { Row } from "./useDeliveries";

type Action = {
  key: "review" | "see_why" | "watch" | "report" | "look";
  tab?: DeliveryTab;
};

/** What a person does next with a delivery, and where. */
export function actionOf(row: Pick<Row, "state" | "attention">): Action {
  switch (row.state) {
    case "ready":
      return { key: "review", tab: "review" };
    case "preparation_failed":
      return { key: "see_why", tab: "review" };
    case "paused":
      return { key: "see_why", tab: "sending" };
    case "approved":
    case "sending":
      return { key: row.attention ? "see_why" : "watch", tab: "sending" };
    case "finished":
    case "stopped":
      return { key: "report", tab: "report" };
    default:
      return { key: "look" };
  }
}

/** The way to what is next. */
export function RowAction({ row }: { row: Row }) {
  const say = useSay();
  const { key, tab } = actionOf(row);
  const action = say(`deliveries.${key}`);
  return (
    <Link asChild variant="underline" whiteSpace="nowrap">
      <RouterLink
        to={deliveryAddress(row.delivery, tab)}
        aria-label={say("deliveries.action_on", { action, label: row.label })}
      >
        {action}
      </RouterLink>
    </Link>
  );
}
