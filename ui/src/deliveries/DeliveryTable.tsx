import { Table } from "@chakra-ui/react";
import type { ReactNode } from "react";
import { ListTable } from "~/parts/ListTable";
import { Count, Money } from "~/parts/numbers";
import { useSay } from "~/words/useSay";
import { Name } from "./Name";
import { RowAction } from "./RowAction";
import { Standing } from "./Standing";
import type { Row } from "./useDeliveries";

const FIGURES = ["targeted", "to_deliver", "sent", "delivered", "failed", "cost"] as const;
const COLUMNS = ["delivery", "state", ...FIGURES, "next"] as const;

/** What of a delivery stands under a heading of the table. */
export function figureOf(row: Row, name: (typeof FIGURES)[number]): ReactNode {
  switch (name) {
    case "sent":
      return <Count value={row.accepted} />;
    case "failed":
      return <Count value={row.failed + row.undelivered} />;
    case "cost":
      return row.cost && row.currency ? <Money amount={row.cost} currency={row.currency} /> : "–";
    default:
      return <Count value={row[name]} />;
  }
}

type Props = { rows: Row[]; label: string };

/** Deliveries in a table that scrolls in its own box. */
export function DeliveryTable({ rows, label }: Props) {
  const say = useSay();
  return (
    <ListTable
      label={label}
      columns={COLUMNS}
      head={(name) => say(`deliveries.${name}`)}
      ends={FIGURES}
      isFramed
    >
      {rows.map((row) => (
        <Table.Row key={row.delivery} verticalAlign="top">
          <Table.Cell minW="14rem" maxW="24rem" whiteSpace="normal">
            <Name row={row} />
          </Table.Cell>
          <Table.Cell minW="11rem" whiteSpace="normal">
            <Standing row={row} />
          </Table.Cell>
          {FIGURES.map((name) => (
            <Table.Cell key={name} textAlign="end">
              {figureOf(row, name)}
            </Table.Cell>
          ))}
          <Table.Cell>
            <RowAction row={row} />
          </Table.Cell>
        </Table.Row>
      ))}
    </ListTable>
  );
}
