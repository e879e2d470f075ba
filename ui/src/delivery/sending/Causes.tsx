import { Table, Text } from "@chakra-ui/react";
import type { components } from "~/api/schema";
import { Count } from "~/parts/numbers";
import { useSay } from "~/words/useSay";
import { ScrollBox } from "../review/ScrollBox";

type Cause = components["schemas"]["Cause"];
type Props = { causes: Cause[]; label: string };

/** What ended messages badly, most first. */
export function Causes({ causes, label }: Props) {
  const say = useSay();
  if (causes.length === 0) {
    return <Text color="fg.muted">{say("sending.no_causes")}</Text>;
  }
  return (
    <ScrollBox label={label}>
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            <Table.ColumnHeader scope="col">{say("report.kind")}</Table.ColumnHeader>
            <Table.ColumnHeader scope="col">{say("sending.code")}</Table.ColumnHeader>
            <Table.ColumnHeader scope="col" textAlign="end">
              {say("sending.messages")}
            </Table.ColumnHeader>
          </Table.Row>
        </Table.Header>
        <Table.Body>
          {causes.map((cause) => (
            <Table.Row key={`${cause.kind} ${cause.code}`}>
              <Table.Cell>{say(`report.kind_${cause.kind}`)}</Table.Cell>
              <Table.Cell overflowWrap="anywhere">
                {cause.code.replaceAll("_", " ") || "–"}
              </Table.Cell>
              <Table.Cell textAlign="end">
                <Count value={cause.messages} />
              </Table.Cell>
            </Table.Row>
          ))}
        </Table.Body>
      </Table.Root>
    </ScrollBox>
  );
}
