import { Table, Text } from "@chakra-ui/react";
import type { components } from "~/api/schema";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { useSay } from "~/words/useSay";

type Cause = components["schemas"]["Cause"];
const COLUMNS = ["kind", "code", "messages"] as const;
type Props = { causes: Cause[]; label: string };

/** What ended messages badly, most first. */
export function Causes({ causes, label }: Props) {
  const say = useSay();
  if (causes.length === 0) {
    return <Text color="fg.muted">{say("sending.no_causes")}</Text>;
  }
  return (
    <ListTable
      label={label}
      columns={COLUMNS}
      head={(name) => say(name === "kind" ? "report.kind" : `sending.${name}`)}
      ends={["messages"]}
    >
      {causes.map((cause) => (
        <Table.Row key={`${cause.kind} ${cause.code}`}>
          <Table.Cell>{say(`report.kind_${cause.kind}`)}</Table.Cell>
          <Table.Cell overflowWrap="anywhere">{cause.code.replaceAll("_", " ") || "–"}</Table.Cell>
          <Table.Cell textAlign="end">
            <Count value={cause.messages} />
          </Table.Cell>
        </Table.Row>
      ))}
    </ListTable>
  );
}
