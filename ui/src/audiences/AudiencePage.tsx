import { Link, Stack, Table, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Link as RouterLink, useParams } from "react-router-dom";
import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";
import { AudienceFound } from "~/delivery/review/AudienceFound";
import { Asked } from "~/parts/Asked";
import { Kpi, Kpis } from "~/parts/Kpi";
import { ListTable } from "~/parts/ListTable";
import { Count } from "~/parts/numbers";
import { Page } from "~/parts/Page";
import { Section } from "~/parts/Section";
import { State } from "~/parts/State";
import { When } from "~/parts/When";
import { deliveryAddress } from "~/shell/addresses";
import { useSay } from "~/words/useSay";
import { Description } from "./Description";
import { Versions } from "./Versions";

type Detail = components["schemas"]["AudienceDetail"];

/** One saved audience: its people in figures, how they were found, its versions and its uses. */
export function AudiencePage() {
  const say = useSay();
  const { name = "" } = useParams();
  const found = useQuery({
    queryKey: ["audiences", name],
    queryFn: () => answerOf(api.GET("/api/v1/audiences/{name}", { params: { path: { name } } })),
    refetchInterval: 30_000,
  });
  return (
    <Page title={name}>
      <Asked query={found} failed={say("audiences.one_failed")}>
        {(audience) => !found.isError && <Whole audience={audience} />}
      </Asked>
    </Page>
  );
}

function Whole({ audience }: { audience: Detail }) {
  const say = useSay();
  const [newest] = audience.versions;
  if (!newest) {
    return null;
  }
  return (
    <>
      <Description audience={audience} />
      <Kpis>
        <Kpi label={say("audiences.people")} value={<Count value={newest.count} />} />
        <Kpi label={say("audiences.newest")} value={newest.version} />
        <Kpi label={say("audiences.computed")} value={<When at={newest.built_at} />} />
      </Kpis>
      {audience.found && (
        <AudienceFound found={audience.found} preparedAt={audience.found.built_at} />
      )}
      <Versions audience={audience} />
      <Uses audience={audience} />
      <Columns columns={newest.columns} />
    </>
  );
}

function Uses({ audience }: { audience: Detail }) {
  const say = useSay();
  const isUsed = audience.used_by.length > 0;
  return (
    <Section title={say("audiences.used")}>
      <Text color="fg.muted">{say(isUsed ? "audiences.used_text" : "audiences.used_none")}</Text>
      {isUsed && (
        <Stack as="ul" listStyleType="none" gap={2}>
          {audience.used_by.map((one) => (
            <li key={one.delivery}>
              <Link asChild variant="underline">
                <RouterLink to={deliveryAddress(one.delivery)}>{one.delivery}</RouterLink>
              </Link>{" "}
              <State state={one.state} /> {say("audiences.of_version", { version: one.version })}
            </li>
          ))}
        </Stack>
      )}
    </Section>
  );
}

function Columns({ columns }: { columns: components["schemas"]["AudienceColumn"][] }) {
  const say = useSay();
  return (
    <Section title={say("audiences.columns")}>
      <ListTable
        label={say("audiences.columns")}
        columns={["column_of", "kind"]}
        head={(name) => say(`audiences.${name}`)}
      >
        {columns.map((one) => (
          <Table.Row key={one.name}>
            <Table.Cell>{one.name}</Table.Cell>
            <Table.Cell color="fg.muted">{one.kind}</Table.Cell>
          </Table.Row>
        ))}
      </ListTable>
    </Section>
  );
}
