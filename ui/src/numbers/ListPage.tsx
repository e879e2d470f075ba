import { SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Empty } from "~/parts/Empty";
import { Loading } from "~/parts/Loading";
import { Page } from "~/parts/Page";
import { Trouble } from "~/parts/Trouble";
import { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { AddPanel } from "./AddPanel";
import { type ListName, readRecent } from "./calls";
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
      {page.isPending && <Loading />}
      {page.isError && (
        <Trouble
          error={page.error}
          what={say("numbers.recent_failed")}
          onRetry={() => void page.refetch()}
        />
      )}
      {page.data && !mayAdminister && (
        <Empty title={say("numbers.may_not_title")}>{say("numbers.may_not")}</Empty>
      )}
      {page.data && mayAdminister && (
        <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
          <Stack gap={4} minW={0}>
            <LookUp list={list} />
            <RecentPanel list={list} page={page.data} />
          </Stack>
          <Stack gap={4} minW={0}>
            <AddPanel list={list} />
            <ImportPanel list={list} />
          </Stack>
        </SimpleGrid>
      )}
    </Page>
  );
}
