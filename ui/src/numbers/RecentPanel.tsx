import { Stack, Text } from "@chakra-ui/react";
import { useQuery } from "@tanstack/react-query";
import { Empty } from "~/parts/Empty";
import { Loading } from "~/parts/Loading";
import { Pager } from "~/parts/Pager";
import { Trouble } from "~/parts/Trouble";
import { useAddress } from "~/parts/useAddress";
import { useSay } from "~/words/useSay";
import { type ListName, readRecent } from "./calls";
import { Entries } from "./Entries";
import { Panel } from "./Panel";

/** The newest entries, a page at a time. */
export function RecentPanel({ list }: { list: ListName }) {
  const say = useSay();
  const [address, setAddress] = useAddress();
  const before = address.get("before");
  const page = useQuery({
    queryKey: ["numbers", list, before],
    queryFn: () => readRecent(list, before),
    refetchInterval: 30_000,
  });
  if (page.isPending) {
    return <Loading />;
  }
  if (page.isError) {
    return (
      <Trouble
        error={page.error}
        what={say("numbers.recent_failed")}
        onRetry={() => void page.refetch()}
      />
    );
  }
  const { entries, total, isEstimate, isCut, next } = page.data;
  if (entries.length === 0) {
    return <Empty title={say(`numbers.${list}_empty`)}>{say(`numbers.${list}_empty_text`)}</Empty>;
  }
  return (
    <Panel title={say("numbers.recent_title")}>
      <Stack gap={3}>
        <Text color="fg.muted">
          {say(isEstimate ? "numbers.about_total" : "numbers.total", { count: total })}
          {isCut && ` ${say("numbers.is_cut")}`}
        </Text>
        <Entries list={list} entries={entries} label={say("numbers.recent_title")} />
        <Pager
          next={next}
          isFirst={before === null}
          onNext={(key) => setAddress({ before: key })}
          onFirst={() => setAddress({ before: null })}
        />
      </Stack>
    </Panel>
  );
}
