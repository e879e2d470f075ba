import { Button, Stack, Table, Text } from "@chakra-ui/react";
import { useState } from "react";
import type { components } from "~/api/schema";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { Section } from "~/parts/Section";
import { When } from "~/parts/When";
import { useSay } from "~/words/useSay";
import { changesOf } from "./changes";
import { DeleteDialog } from "./DeleteDialog";
import { SavedBy } from "./SavedBy";

type Detail = components["schemas"]["AudienceDetail"];
type Version = components["schemas"]["AudienceVersion"];
const COLUMNS = ["version", "count", "change", "action", "built", "saved_by", "delete"] as const;

/** The versions, newest first, each with what differs from the one before. */
export function Versions({ audience }: { audience: Detail }) {
  const say = useSay();
  const [going, setGoing] = useState<Version>();
  const held = new Set(audience.used_by.map((one) => one.version));
  const columns = COLUMNS.filter((name) => name !== "delete" || audience.may_change);
  return (
    <Section title={say("audiences.versions")}>
      <ListTable
        label={say("audiences.versions")}
        columns={columns}
        head={(name) => say(`audiences.column_${name}`)}
      >
        {audience.versions.map((one, at) => (
          <Table.Row key={one.version} verticalAlign="top">
            <Table.ColumnHeader scope="row">{one.version}</Table.ColumnHeader>
            <Table.Cell fontVariantNumeric="tabular-nums">
              <Count value={one.count} />
            </Table.Cell>
            <Table.Cell>
              <Change now={one} before={audience.versions[at + 1]} />
            </Table.Cell>
            <Table.Cell>{say(`audiences.action_${one.action}`)}</Table.Cell>
            <Table.Cell>
              <When at={one.built_at} />
            </Table.Cell>
            <Table.Cell>
              <SavedBy version={one} />
            </Table.Cell>
            {audience.may_change && (
              <Table.Cell>
                <Delete
                  version={one.version}
                  isHeld={held.has(one.version)}
                  onPress={() => setGoing(one)}
                />
              </Table.Cell>
            )}
          </Table.Row>
        ))}
      </ListTable>
      {going && (
        <DeleteDialog
          version={going}
          isOnly={audience.versions.length === 1}
          onClose={() => setGoing(undefined)}
        />
      )}
    </Section>
  );
}

type DeleteProps = { version: number; isHeld: boolean; onPress: () => void };

function Delete({ version, isHeld, onPress }: DeleteProps) {
  const say = useSay();
  return (
    <>
      <Button
        size="xs"
        variant="outline"
        disabled={isHeld}
        aria-label={say("audiences.delete_label", { version })}
        onClick={onPress}
      >
        {say("audiences.delete")}
      </Button>
      {isHeld && (
        <Text fontSize="sm" color="fg.muted">
          {say("audiences.delete_held")}
        </Text>
      )}
    </>
  );
}

function Change({ now, before }: { now: Version; before: Version | undefined }) {
  const say = useSay();
  if (!before) {
    return now.version === 1 ? say("audiences.first") : "–";
  }
  return (
    <Stack gap={0}>
      {changesOf(before, now).map(({ key, values }) => (
        <Text key={key}>{say(`audiences.${key}`, values)}</Text>
      ))}
    </Stack>
  );
}
