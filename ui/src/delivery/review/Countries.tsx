import { Button, Table, Text } from "@chakra-ui/react";
import { useState } from "react";
import { Count, Money } from "~/parts/numbers";
import { ScrollBox } from "~/parts/ScrollBox";
import { Section } from "~/parts/Section";
import { useSay } from "~/words/useSay";
import { Bar } from "./Bar";
import type { Review } from "./shapes";
import { useNames } from "./useNames";

/** Countries shown until more are asked for. */
const SHOWN = 12;

type Row = { country: string; messages: number; parts: number; cost: string | null };

/** The countries of a delivery, most parts first; without prices their parts alone. */
function rowsOf(review: Review): Row[] {
  const priced = review.cost?.countries ?? [];
  if (priced.length > 0) {
    return priced;
  }
  return Object.entries(review.regions)
    .map(([country, sums]) => ({ country, ...sums, cost: null }))
    .sort((one, other) => other.parts - one.parts);
}

/** What goes to which country, and what it costs there. */
export function Countries({ review }: { review: Review }) {
  const say = useSay();
  const [isWhole, setWhole] = useState(false);
  const rows = rowsOf(review);
  const currency = review.cost?.total ? review.cost.currency : null;
  const shown = isWhole ? rows : rows.slice(0, SHOWN);
  const title = say(currency ? "review.cost_by_country" : "review.parts_by_country");
  return (
    <Section title={title}>
      {!currency && <Text color="fg.muted">{say("review.cost_unknown_long")}</Text>}
      <ScrollBox label={title}>
        <Table.Root size="sm">
          <Head hasCost={currency !== null} />
          <Table.Body>
            {shown.map((row) => (
              <CountryRow
                key={row.country}
                row={row}
                whole={rows[0]?.parts ?? 1}
                currency={currency}
              />
            ))}
          </Table.Body>
        </Table.Root>
      </ScrollBox>
      {rows.length > shown.length && (
        <Button size="xs" variant="outline" alignSelf="start" onClick={() => setWhole(true)}>
          {say("review.more", { count: rows.length - shown.length })}
        </Button>
      )}
      {currency && (review.cost?.missing.length ?? 0) > 0 && <Text>{say("review.unpriced")}</Text>}
    </Section>
  );
}

function Head({ hasCost }: { hasCost: boolean }) {
  const say = useSay();
  return (
    <Table.Header>
      <Table.Row>
        <Table.ColumnHeader scope="col">{say("review.country")}</Table.ColumnHeader>
        <Table.ColumnHeader scope="col" textAlign="end">
          {say("review.messages")}
        </Table.ColumnHeader>
        <Table.ColumnHeader scope="col" width="30%">
          {say("review.parts")}
        </Table.ColumnHeader>
        {hasCost && (
          <Table.ColumnHeader scope="col" textAlign="end">
            {say("review.cost")}
          </Table.ColumnHeader>
        )}
      </Table.Row>
    </Table.Header>
  );
}

type RowProps = { row: Row; whole: number; currency: string | null };

function CountryRow({ row, whole, currency }: RowProps) {
  const say = useSay();
  const names = useNames();
  return (
    <Table.Row fontVariantNumeric="tabular-nums">
      <Table.ColumnHeader scope="row" fontWeight="normal">
        {names.country(row.country)}
      </Table.ColumnHeader>
      <Table.Cell textAlign="end">
        <Count value={row.messages} />
      </Table.Cell>
      <Table.Cell>
        <Count value={row.parts} />
        <Bar share={row.parts / whole} />
      </Table.Cell>
      {currency && (
        <Table.Cell textAlign="end" whiteSpace="nowrap">
          {row.cost === null ? (
            say("review.no_price")
          ) : (
            <Money amount={row.cost} currency={currency} />
          )}
        </Table.Cell>
      )}
    </Table.Row>
  );
}
