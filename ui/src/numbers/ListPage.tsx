import { Button, SimpleGrid, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "~/parts/Confirm";
import { Page } from "~/parts/Page";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { AddPanel } from "./AddPanel";
import { exportFile, type ListName } from "./calls";
import { ImportPanel } from "./ImportPanel";
import { LookUp } from "./LookUp";
import { RecentPanel } from "./RecentPanel";

/** One list of numbers: look up, add, remove, import, export. */
export function ListPage({ list }: { list: ListName }) {
  const say = useSay();
  const [isAsking, setIsAsking] = useState(false);
  const taking = useMutation({
    mutationFn: () => exportFile(list),
    onSettled: () => setIsAsking(false),
  });
  const actions = (
    <Button variant="outline" onClick={() => setIsAsking(true)}>
      {say("numbers.export")}
    </Button>
  );
  return (
    <Page title={say(`navigation.${list}`)} actions={actions}>
      <Text color="fg.muted">{say(`numbers.${list}_text`)}</Text>
      {taking.isError && <Trouble error={taking.error} what={say("numbers.export_failed")} />}
      <SimpleGrid columns={{ base: 1, lg: 2 }} gap={4} alignItems="start">
        <LookUp list={list} />
        <Stack gap={4} minW={0}>
          <AddPanel list={list} />
          <ImportPanel list={list} />
        </Stack>
      </SimpleGrid>
      <RecentPanel list={list} />
      <Confirm
        isOpen={isAsking}
        title={say("numbers.export_title")}
        action={say("numbers.export_action")}
        isBusy={taking.isPending}
        onConfirm={() => taking.mutate()}
        onClose={() => setIsAsking(false)}
      >
        <Text>{say("numbers.export_text")}</Text>
      </Confirm>
    </Page>
  );
}
