import { Badge, Button, Table, Text } from "@chakra-ui/react";
import { ListTable } from "~/parts/ListTable";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import type { Entry, ListName } from "./calls";

type Props = {
  list: ListName;
  entries: Entry[];
  label: string;
  onRemove?: (entry: Entry) => void;
};

/** Entries of a list, numbers masked. */
export function Entries({ list, entries, label, onRemove }: Props) {
  const say = useSay();
  const hasScopes = list === "opt-outs";
  const columns = [
    "phone",
    ...(hasScopes ? ["scope"] : []),
    "reason",
    "source",
    "since",
    ...(onRemove ? ["action"] : []),
  ];
  return (
    <ListTable
      label={label}
      columns={columns}
      head={(name) => say(`numbers.column_${name}`)}
      isFramed
    >
      {entries.map((one, place) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: masked numbers are alike
        <Table.Row key={place}>
          <Table.Cell whiteSpace="nowrap">{one.phone}</Table.Cell>
          {hasScopes && <Table.Cell>{one.scope || say("numbers.everything")}</Table.Cell>}
          <Table.Cell>{one.reason || "–"}</Table.Cell>
          <Table.Cell>
            {one.isOwnWish ? (
              <Badge colorPalette="orange">{say("numbers.own_wish")}</Badge>
            ) : (
              one.source || "–"
            )}
          </Table.Cell>
          <Table.Cell whiteSpace="nowrap">
            {one.at === null ? (
              <Text color="fg.muted">{say("numbers.errors", { count: one.errors })}</Text>
            ) : (
              <When at={one.at} />
            )}
          </Table.Cell>
          {onRemove && (
            <Table.Cell>
              {one.at !== null && (
                <Button size="xs" variant="outline" onClick={() => onRemove(one)}>
                  {say("numbers.remove")}
                </Button>
              )}
            </Table.Cell>
          )}
        </Table.Row>
      ))}
    </ListTable>
  );
}
