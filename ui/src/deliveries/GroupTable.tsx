import { Link, Stack, Table, Text } from "@chakra-ui/react";
import { Link as RouterLink, useSearchParams } from "react-router-dom";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { useSay } from "~/words/useSay";
import { RowAction } from "./RowAction";
import { Standing } from "./Standing";
import type { Group } from "./useDeliveries";

/** A count that stands for more above 99. */
export function Bounded({ value }: { value: number }) {
  const say = useSay();
  return value > 99 ? say("deliveries.more_than", { count: 99 }) : <Count value={value} />;
}

/** Workflows, each with its latest delivery. */
export function GroupTable({ groups, label }: { groups: Group[]; label: string }) {
  const say = useSay();
  const heads = [
    "workflow",
    "occurrences",
    "needs_attention",
    "last",
    "to_deliver",
    "sent",
    "next",
  ];
  return (
    <ListTable label={label} columns={heads} head={(head) => say(`deliveries.${head}`)} isFramed>
      {groups.map((group) => (
        <GroupRow key={`${group.dag_id} ${group.task_id}`} group={group} />
      ))}
    </ListTable>
  );
}

function GroupRow({ group }: { group: Group }) {
  const say = useSay();
  const { last } = group;
  const [address] = useSearchParams();
  const members = new URLSearchParams(address);
  for (const name of ["grouped", "before"]) {
    members.delete(name);
  }
  members.set("tab", "all");
  members.set("workflow", group.dag_id);
  return (
    <Table.Row verticalAlign="top">
      <Table.Cell minW="14rem" maxW="24rem" whiteSpace="normal">
        <Stack gap={0} align="start">
          <Link asChild fontWeight="semibold">
            <RouterLink to={{ search: members.toString() }}>{group.dag_id}</RouterLink>
          </Link>
          <Text fontSize="sm" color="fg.muted">
            {last.label} ({group.task_id})
          </Text>
        </Stack>
      </Table.Cell>
      <Table.Cell>
        <Bounded value={group.occurrences} />
      </Table.Cell>
      <Table.Cell fontWeight={group.attention ? "semibold" : "normal"}>
        <Bounded value={group.attention} />
      </Table.Cell>
      <Table.Cell minW="11rem" whiteSpace="normal">
        <Standing row={last} />
      </Table.Cell>
      <Table.Cell>
        <Count value={last.to_deliver} />
      </Table.Cell>
      <Table.Cell>
        <Count value={last.accepted} />
      </Table.Cell>
      <Table.Cell>
        <Stack gap={1} align="start">
          <RowAction row={last} />
          <Link asChild variant="underline" whiteSpace="nowrap">
            <RouterLink
              to={{ search: members.toString() }}
              aria-label={say("deliveries.action_on", {
                action: say("deliveries.show_all"),
                label: group.dag_id,
              })}
            >
              {say("deliveries.show_all")}
            </RouterLink>
          </Link>
        </Stack>
      </Table.Cell>
    </Table.Row>
  );
}
