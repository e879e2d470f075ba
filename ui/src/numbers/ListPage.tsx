import { SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Asked } from "~/parts/Asked";
import { Empty } from "~/parts/Empty";
import { Page } from "~/parts/Page";
import { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { AddPanel } from "./AddPanel";
import { type ListName, type RecentPage, readRecent } from "./calls";
import { ExportButton } from "./ExportButton";
import { ImportPanel } from "./ImportPanel";
import { LookUp } from "./LookUp";
import { RecentPanel } from "./RecentPanel";

/** One list of numbers: look up, add, remove, import, export. */
export function ListPage({ list }: { list: ListName }) {
  const say = useSay();
  const [address] = useAddress();
  const before = address.get("before");
  const page = useQuery({
    queryKey: ["numbers", list, before],
    queryFn: () => readRecent(list, before),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });
  const mayAdminister = page.data?.mayAdminister ?? false;
  return (
    <Page title={say(`navigation.${list}`)} actions={mayAdminister && <ExportButton list={list} />}>
      <Text color="fg.muted">{say(`numbers.${list}_text`)}</Text>
      <Asked query={page} failed={say("numbers.recent_failed")}>
        {(recent) =>
          recent.mayAdminister ? (
            <Panels list={list} recent={recent} />
          ) : (
            <Empty title={say("numbers.may_not_title")}>{say("numbers.may_not")}</Empty>
          )
        }
      </Asked>
    </Page>
  );
}

function Panels({ list, recent }: { list: ListName; recent: RecentPage }) {
  return (
    <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
      <Stack gap={4} minW={0}>
        <LookUp list={list} />
        <RecentPanel list={list} page={recent} />
      </Stack>
      <Stack gap={4} minW={0}>
        <AddPanel list={list} />
        <ImportPanel list={list} />
      </Stack>
    </SimpleGrid>
  );
}
