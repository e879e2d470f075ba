import { Link, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link as RouterLink } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Asked } from "~/parts/Asked";
import { Empty } from "~/parts/Empty";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { Page } from "~/parts/Page";
import { When } from "~/parts/When";
import { audienceAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { SavedBy } from "./SavedBy";

const COLUMNS = ["name", "count", "version", "built", "saved_by"] as const;

/** Every saved audience, by its newest version. */
export function AudiencesPage() {
  const say = useSay();
  const found = useQuery({
    queryKey: ["audiences"],
    queryFn: () => answerOf(api.GET("/api/v1/audiences")),
    refetchInterval: 30_000,
  });
  return (
    <Page title={say("navigation.audiences")}>
      <Text color="fg.muted">{say("audiences.text")}</Text>
      <Asked query={found} failed={say("audiences.failed")}>
        {({ audiences }) => <List rows={audiences} />}
      </Asked>
    </Page>
  );
}

function List({ rows }: { rows: components["schemas"]["AudienceVersion"][] }) {
  const say = useSay();
  if (rows.length === 0) {
    return <Empty title={say("audiences.empty")}>{say("audiences.empty_text")}</Empty>;
  }
  return (
    <ListTable
      label={say("navigation.audiences")}
      columns={COLUMNS}
      head={(name) => say(`audiences.column_${name}`)}
      isFramed
    >
      {rows.map((one) => (
        <Table.Row key={one.name} verticalAlign="top">
          <Table.Cell>
            <Link asChild variant="underline" fontWeight="medium">
              <RouterLink to={audienceAddress(one.name)}>{one.name}</RouterLink>
            </Link>
            {one.description && <Text color="fg.muted">{one.description}</Text>}
          </Table.Cell>
          <Table.Cell fontVariantNumeric="tabular-nums">
            <Count value={one.count} />
          </Table.Cell>
          <Table.Cell>{one.version}</Table.Cell>
          <Table.Cell>
            <When at={one.built_at} />
          </Table.Cell>
          <Table.Cell>
            <SavedBy version={one} />
          </Table.Cell>
        </Table.Row>
      ))}
    </ListTable>
  );
}
