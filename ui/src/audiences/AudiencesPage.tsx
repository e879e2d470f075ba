import { Link, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link as RouterLink } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { Empty } from "~/parts/Empty";
import { Loading } from "~/parts/Loading";
import { Count } from "~/parts/numbers";
import { Page } from "~/parts/Page";
import { Trouble } from "~/parts/Trouble";
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
      {found.isPending && <Loading />}
      {found.isError && (
        <Trouble
          error={found.error}
          what={say("audiences.failed")}
          onRetry={() => void found.refetch()}
        />
      )}
      {found.data?.audiences.length === 0 && (
        <Empty title={say("audiences.empty")}>{say("audiences.empty_text")}</Empty>
      )}
      {found.data && found.data.audiences.length > 0 && <List rows={found.data.audiences} />}
    </Page>
  );
}

function List({ rows }: { rows: components["schemas"]["AudienceVersion"][] }) {
  const say = useSay();
  return (
    <Table.ScrollArea
      borderWidth="1px"
      borderRadius="md"
      tabIndex={0}
      role="region"
      aria-label={say("navigation.audiences")}
    >
      <Table.Root size="sm">
        <Table.Header>
          <Table.Row>
            {COLUMNS.map((name) => (
              <Table.ColumnHeader key={name} scope="col">
                {say(`audiences.column_${name}`)}
              </Table.ColumnHeader>
            ))}
          </Table.Row>
        </Table.Header>
        <Table.Body>
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
        </Table.Body>
      </Table.Root>
    </Table.ScrollArea>
  );
}
