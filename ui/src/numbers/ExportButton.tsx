import { Button, Stack, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { Confirm } from "~/parts/Confirm";
import { Trouble } from "~/parts/Trouble";
import { useSay } from "~/words/useSay";
import { exportFile, type ListName } from "./calls";

/** Take the whole list away as a file, after a word on what that is. */
export function ExportButton({ list }: { list: ListName }) {
  const say = useSay();
  const [isAsking, setIsAsking] = useState(false);
  const taking = useMutation({
    mutationFn: () => exportFile(list),
    onSuccess: () => setIsAsking(false),
  });
  return (
    <>
      <Button variant="outline" onClick={() => setIsAsking(true)}>
        {say("numbers.export")}
      </Button>
      <Confirm
        isOpen={isAsking}
        title={say("numbers.export_title")}
        action={say("numbers.export_action")}
        isBusy={taking.isPending}
        onConfirm={() => taking.mutate()}
        onClose={() => setIsAsking(false)}
      >
        <Stack>
          <Text>{say("numbers.export_text")}</Text>
          {taking.isError && <Trouble error={taking.error} what={say("numbers.export_failed")} />}
        </Stack>
      </Confirm>
    </>
  );
}
